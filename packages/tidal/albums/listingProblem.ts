/** Says that tracks are not listed, since TIDAL names them and says nothing of them that can be read. */
export function namedWithoutData(ids: string[]): string {
  const more = ids.length > 10 ? ` and ${ids.length - 10} more` : '';
  return `tracks named without their data: ${ids.slice(0, 10).join(', ')}${more}`;
}
