import type { Visitor } from '../access/visitor.ts';
import { asset } from '../assets/assets.ts';
import { icon } from './icons.ts';
import { isolated } from './isolated.ts';
import { html, type Markup, nothing } from './markup.ts';

export type Section = 'overview' | 'requests' | 'albums' | 'actions' | 'sending';

export type PageHead = {
  title: string;
  /** Which link of the navigation is the current one. */
  section?: Section;
  visitor: Visitor | null;
  /** Seconds after which a browser without scripts asks again. */
  refreshSeconds?: number;
};

export type PageRest = {
  /** The line that says how things stand, on every page; replaced live. */
  state?: { name: 'state' | 'headline'; markup: Markup };
  body: Markup;
};

const sections: { section: Section; path: string; label: string }[] = [
  { section: 'overview', path: '/console/', label: 'Overview' },
  { section: 'requests', path: '/console/requests', label: 'Requests' },
  { section: 'albums', path: '/console/albums', label: 'Albums' },
  { section: 'actions', path: '/console/actions', label: 'Actions' },
];

/** A whole page, for those who may not be told how things stand, or are told what went wrong. */
export function page({ body, ...head }: PageHead & Pick<PageRest, 'body'>): string {
  return beginPage(head) + endPage({ body });
}

/** A page up to its navigation: all that a browser needs to load the styles. */
export function beginPage({ title, section, visitor, refreshSeconds }: PageHead): string {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refreshSeconds === undefined ? nothing : html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>`}
<title>${title} · Segue</title>
<link rel="icon" href="${asset('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${asset('console.css')}">
<script src="${asset('console.js')}" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top">
<a class="brand" href="/console/">${icon('brand')}<span>Segue</span></a>
${visitor === null ? nothing : navigation(section, visitor)}
</header>
`);
}

/** What follows {@link beginPage}. */
export function endPage({ state, body }: PageRest): string {
  return String(html`${state === undefined ? nothing : html`<div class="state" id="state" role="status" data-live="${state.name}">${state.markup}</div>`}
<main id="main">
${body}
</main>
</body>
</html>`);
}

function navigation(current: Section | undefined, visitor: Visitor): Markup {
  return html`<nav aria-label="Console"><ul>${sections.map(
    ({ section, path, label }) =>
      html`<li><a href="${path}"${section === current ? html` aria-current="page"` : nothing}>${label}</a></li>`,
  )}</ul></nav>
<div class="visitor"><span title="Actions are recorded under this name">${isolated(visitor.actor)}</span>${
    visitor.mayAct ? nothing : html` <span class="tag">read-only</span>`
  }${
    visitor.by === 'session'
      ? html` <form method="post" action="/console/logout"><button class="quiet">Sign out</button></form>`
      : nothing
  }</div>`;
}
