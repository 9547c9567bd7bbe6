const metaOf = (name: string): string => document.querySelector(`meta[name="causeway-${name}"]`)?.getAttribute('content') ?? '';

/** Lets the component library's own style elements pass the page's policy. */
export const styleNonce = metaOf('nonce');
export const isSandbox = metaOf('environment') === 'sandbox';
