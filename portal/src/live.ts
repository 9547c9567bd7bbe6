import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api } from './api';

/** `polling`: the stream is not to be had, and the page asks by itself. */
export type LiveState = 'connecting' | 'live' | 'polling';

const RETRY_MS = 10_000;

/** Keeps a line's queries fresh while its page is open: told by the stream, or else by asking now and then. */
export function useLive(id: string): LiveState {
  const queries = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');
  useEffect(() => {
    let source: EventSource | undefined;
    let timer: number | undefined;
    const refresh = () => void queries.invalidateQueries({ queryKey: ['line', id] });

    function open(): void {
      source = new EventSource(api.liveUrl(id));
      source.addEventListener('open', () => setState('live'));
      source.addEventListener('changed', refresh);
      source.addEventListener('signed-out', () => void queries.invalidateQueries({ queryKey: ['me'] }));
      source.addEventListener('error', () => {
        // The browser tries again by itself unless the answer was a refusal.
        if (source?.readyState !== EventSource.CLOSED) return setState('connecting');
        setState('polling');
        refresh();
        timer = window.setTimeout(open, RETRY_MS);
      });
    }
    open();
    return () => {
      source?.close();
      window.clearTimeout(timer);
    };
  }, [id, queries]);
  return state;
}
