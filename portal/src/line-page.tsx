import { Alert, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ApiError, api } from './api';
import { Failure } from './failure';
import { LineList } from './home';
import { Icon } from './icons';
import { LineCard } from './line-card';
import { useLive } from './live';
import { useMessages } from './messages';
import type { LastSearch } from './shell';
import { Timeline } from './timeline';

export function LinePage({ id, found }: { id: string; found: LastSearch }) {
  const { t } = useMessages();
  const line = useQuery({ queryKey: ['line', id, 'card'], queryFn: () => api.line(id) });
  if (line.error instanceof ApiError && line.error.status === 404) {
    return (
      <Alert className="note" data-tone="warning" icon={<Icon name="search" />} title={t('line.missing')}>
        {t('line.missingHint')}
      </Alert>
    );
  }
  if (!line.data && line.error) return <Failure failure={line.error} retry={() => void line.refetch()} />;
  const others = found?.items.some((item) => item.id === id) ? found.items.filter((item) => item.id !== id) : [];
  return (
    <div className="columns">
      <aside className="side" aria-label={t('line.title')}>
        <Stack gap="md">
          {line.data ? <LineCard line={line.data} /> : <CardSkeleton />}
          {others.length > 0 && (
            <Paper withBorder p="md">
              <Text size="sm" fw={600} mb="xs">
                {t('search.others', { count: others.length })}
              </Text>
              <LineList lines={others} />
            </Paper>
          )}
        </Stack>
      </aside>
      <section className="story" aria-labelledby="timeline-title">
        {line.data ? <LiveTimeline id={id} timeZone={line.data.timeZone} /> : <StorySkeleton />}
      </section>
    </div>
  );
}

function LiveTimeline({ id, timeZone }: { id: string; timeZone: string }) {
  const live = useLive(id);
  return <Timeline id={id} timeZone={timeZone} live={live} />;
}

function CardSkeleton() {
  return (
    <Paper withBorder p="lg">
      <Stack gap="md">
        <Skeleton height={28} width="60%" />
        <Skeleton height={16} />
        <Skeleton height={16} />
        <Skeleton height={120} />
      </Stack>
    </Paper>
  );
}

function StorySkeleton() {
  const { t } = useMessages();
  return (
    <Stack gap="md">
      <Title order={2} size="h3" id="timeline-title">
        {t('timeline.title')}
      </Title>
      {[1, 2, 3, 4].map((row) => (
        <Skeleton key={row} height={64} radius="md" />
      ))}
    </Stack>
  );
}
