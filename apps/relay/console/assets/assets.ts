import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import type { FastifyInstance } from 'fastify';

const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';

/** All that the pages load, from here and nowhere else. */
const files = {
  // One for all: what is shown first waits for each stylesheet.
  'console.css': { paths: [join(uplotFolder(), 'uPlot.min.css'), own('console.css')], type: style },
  'console.js': { paths: [own('console.js')], type: script },
  'chart.js': { paths: [own('chart.js')], type: script },
  'icon.svg': { paths: [own('icon.svg')], type: 'image/svg+xml' },
  'uplot.js': { paths: [join(uplotFolder(), 'uPlot.iife.min.js')], type: script },
};

export type AssetName = keyof typeof files;

type Asset = { address: string; type: string; content: Buffer; compressed: Buffer };

/** Each start of a relay compresses them: the best quality takes 260 ms for 26 KB, this one 7 ms for 29 KB. */
const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

const assets = Object.fromEntries(
  Object.entries(files).map(([name, { paths, type }]): [string, Asset] => {
    const content = Buffer.concat(paths.map(path => readFileSync(path)));
    const hash = createHash('sha256').update(content).digest('base64url').slice(0, 12);
    const compressed = brotliCompressSync(content, quality);
    return [name, { address: `/console/assets/${hash}/${name}`, type, content, compressed }];
  }),
) as Record<AssetName, Asset>;

/** The address of a file, with a hash of its content: browsers keep it for good, and load a new version at once. */
export function asset(name: AssetName): string {
  return assets[name].address;
}

/** Bytes of all files, as they are sent to a browser that takes Brotli, and as they are. */
export function assetBytes(): { compressed: number; plain: number } {
  const all = Object.values(assets);
  return {
    compressed: all.reduce((sum, { compressed }) => sum + compressed.length, 0),
    plain: all.reduce((sum, { content }) => sum + content.length, 0),
  };
}

/** Serves the files. They are the same in every image, so that nobody has to sign in for them. */
export function serveAssets(server: FastifyInstance): void {
  for (const { address, type, content, compressed } of Object.values(assets)) {
    server.get(address.replace('/console', ''), { config: { right: 'open' } }, async (request, reply) => {
      reply.type(type).header('cache-control', 'public, max-age=31536000, immutable');
      reply.header('vary', 'accept-encoding');
      const takesBrotli = /\bbr\b/.test(String(request.headers['accept-encoding'] ?? ''));
      if (!takesBrotli) return await reply.send(content);
      return await reply.header('content-encoding', 'br').send(compressed);
    });
  }
}

function own(name: string): string {
  return join(import.meta.dirname, 'browser', name);
}

function uplotFolder(): string {
  return dirname(fileURLToPath(import.meta.resolve('uplot/dist/uPlot.iife.min.js')));
}
