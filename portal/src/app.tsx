import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { ApiError, api } from './api';
import { FullPageError } from './failure';
import { MessagesProvider } from './messages';
import { styleNonce } from './page-meta';
import { Shell } from './shell';
import { SignIn } from './sign-in';
import { quietColours, theme } from './theme';

const isTransient = (failure: unknown): boolean => failure instanceof ApiError && (failure.status === 0 || failure.status >= 500);

const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: (count, failure) => count < 2 && isTransient(failure), staleTime: 5_000 },
    mutations: { retry: false },
  },
});
// A session that has ended shows itself in any answer: the page asks who is signed in, and gets to the door.
queries.getQueryCache().subscribe(({ type, query }) => {
  if (type !== 'updated' || query.queryKey[0] === 'me') return;
  const failure: unknown = query.state.error;
  if (failure instanceof ApiError && failure.status === 401 && query.state.fetchStatus === 'idle') {
    void queries.invalidateQueries({ queryKey: ['me'] });
  }
});

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={quietColours} defaultColorScheme="auto" getStyleNonce={() => styleNonce}>
      <MessagesProvider>
        <QueryClientProvider client={queries}>
          <Door />
        </QueryClientProvider>
      </MessagesProvider>
    </MantineProvider>
  );
}

/** Who is not signed in sees the sign-in and nothing else. */
function Door() {
  const me = useQuery({ queryKey: ['me'], queryFn: api.me, staleTime: 60_000, refetchOnWindowFocus: true });
  if (me.error instanceof ApiError && me.error.status === 401) return <SignIn />;
  if (me.data) return <Shell me={me.data} />;
  if (me.error) return <FullPageError failure={me.error} retry={() => void me.refetch()} />;
  return null;
}
