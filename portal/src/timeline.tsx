import { Button, Group, Skeleton, Stack, Text, Title, Tooltip, VisuallyHidden } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { api, type Step } from './api';
import { Failure } from './failure';
import { createTimes } from './format';
import type { LiveState } from './live';
import { useMessages } from './messages';
import { StepRow } from './step';

/** A line's story, the newest first, in days of the operator's zone. */
export function Timeline({ id, timeZone, live }: { id: string; timeZone: string; live: LiveState }) {
  const { t, locale } = useMessages();
  const times = useMemo(() => createTimes(locale, timeZone), [locale, timeZone]);
  const pages = useInfiniteQuery({
    queryKey: ['line', id, 'timeline'],
    queryFn: ({ pageParam }) => api.timeline(id, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
    refetchInterval: live === 'polling' ? 10_000 : false,
  });
  // A page boundary moves while new steps come in: a step that two pages hold is shown once.
  const steps = useMemo(
    () => [...new Map(pages.data?.pages.flatMap((page) => page.items).map((step) => [step.id, step])).values()],
    [pages.data],
  );
  const { fresh, words } = useNews(pages.data ? steps : undefined);
  const days = new Map<string, Step[]>();
  for (const step of steps) {
    const { day } = times.of(step.at);
    days.set(day, [...(days.get(day) ?? []), step]);
  }

  return (
    <>
      <Group justify="space-between" align="center" mb="xs">
        <Title order={2} size="h3" id="timeline-title">
          {t('timeline.title')}
        </Title>
        <LiveBadge state={live} />
      </Group>
      <Text size="sm" c="dimmed" mb="md">
        {t('timeline.zone', { zone: timeZone.replaceAll('_', ' ') })}
      </Text>
      <VisuallyHidden role="status">{words}</VisuallyHidden>
      {pages.isPending && (
        <Stack gap="md">
          {[1, 2, 3].map((row) => (
            <Skeleton key={row} height={64} radius="md" />
          ))}
        </Stack>
      )}
      {!pages.data && pages.error && <Failure failure={pages.error} retry={() => void pages.refetch()} />}
      {pages.data && steps.length === 0 && (
        <>
          <Text fw={600}>{t('timeline.empty')}</Text>
          <Text c="dimmed">{t('timeline.emptyHint')}</Text>
        </>
      )}
      {[...days].map(([day, ofDay]) => (
        <section key={day} aria-label={day}>
          <Title order={3} className="day">
            {dayName(ofDay[0]?.at ?? '', day)}
          </Title>
          <ol className="steps">
            {ofDay.map((step) => (
              <StepRow key={step.id} step={step} time={times.of(step.at)} isNew={fresh.has(step.id)} />
            ))}
          </ol>
        </section>
      ))}
      {pages.hasNextPage && (
        <Button variant="default" fullWidth loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {t('timeline.more')}
        </Button>
      )}
      {steps.length > 0 && !pages.hasNextPage && (
        <Text size="sm" c="dimmed" className="beginning">
          {t('timeline.end')}
        </Text>
      )}
    </>
  );

  function dayName(at: string, day: string): string {
    const now = Date.now();
    const isToday = day === times.of(new Date(now).toISOString()).day;
    const isYesterday = day === times.of(new Date(now - 86_400_000).toISOString()).day;
    const name = times.day(at);
    return isToday ? `${t('timeline.today')}, ${name}` : isYesterday ? `${t('timeline.yesterday')}, ${name}` : name;
  }
}

function LiveBadge({ state }: { state: LiveState }) {
  const { t } = useMessages();
  return (
    <Tooltip label={t(`live.${state}Hint`)} withArrow>
      <span className="live" data-state={state}>
        {t(`live.${state}`)}
      </span>
    </Tooltip>
  );
}

/** Which steps came while the page was open, and the words that a screen reader hears of them. */
function useNews(steps: readonly Step[] | undefined): { fresh: ReadonlySet<string>; words: string } {
  const { t, or } = useMessages();
  const known = useRef<Set<string> | undefined>(undefined);
  const [news, setNews] = useState<{ fresh: ReadonlySet<string>; words: string }>({ fresh: new Set(), words: '' });
  useEffect(() => {
    if (!steps) return;
    const before = known.current;
    known.current = new Set(steps.map((step) => step.id));
    const newest = before && steps.findIndex((step) => before.has(step.id));
    const added = before ? steps.slice(0, newest === -1 ? steps.length : newest) : [];
    const [latest] = added;
    if (!latest) return;
    const words = t('timeline.news', { count: added.length, latest: or(`event.${latest.type}`, latest.summary) });
    setNews((last) => ({ fresh: new Set([...last.fresh, ...added.map((step) => step.id)]), words }));
  }, [steps, t, or]);
  return news;
}
