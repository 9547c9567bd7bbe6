/** The compiled file of that name beside this one: a worker thread cannot load TypeScript, so tests use the built writers. */
export const compiled = (name: string): URL =>
  new URL(import.meta.url.replace(/\/(?:dist\/)?src\/(store\/sqlite)\/[^/]+$/, '/dist/$1/x').replace(/[^/]+$/, name));
