import { useSyncExternalStore } from 'react';

const BASE = '/portal';
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('popstate', listener);
  };
}

export type Place = { page: 'home' } | { page: 'line'; id: string };

export const hrefOf = (place: Place): string => (place.page === 'line' ? `${BASE}/lines/${place.id}` : BASE);

export function goTo(place: Place): void {
  const href = hrefOf(place);
  if (href === location.pathname) return;
  history.pushState(null, '', href);
  for (const listener of listeners) listener();
}

/** Where we are is in the URL, so that a shared link shows the same view. It holds ids of ours and never a number. */
export function usePlace(): Place {
  const path = useSyncExternalStore(subscribe, () => location.pathname);
  const id = /^\/portal\/lines\/(sub_[0-9a-z]{26})\/?$/.exec(path)?.[1];
  return id === undefined ? { page: 'home' } : { page: 'line', id };
}
