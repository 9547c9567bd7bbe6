import { Alert, Code, Kbd, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, type LineSummary } from './api';
import { Failure } from './failure';
import { createTimes } from './format';
import { Icon, type IconName } from './icons';
import { useMessages } from './messages';
import { isSandbox } from './page-meta';
import { goTo, hrefOf } from './route';
import type { LastSearch } from './shell';
import { Status } from './status';

const KINDS: readonly {
  icon: IconName;
  key: 'kind.msisdn' | 'kind.sim' | 'kind.order' | 'kind.message' | 'kind.event';
  example: string;
}[] = [
  { icon: 'account', key: 'kind.msisdn', example: '+999 57…' },
  { icon: 'subscription', key: 'kind.sim', example: '8999957…  ·  sim_…' },
  { icon: 'order', key: 'kind.order', example: 'ord_…  ·  tsk_…  ·  sub_…' },
  { icon: 'sms', key: 'kind.message', example: 'sms_…  ·  fb_…' },
  { icon: 'bell', key: 'kind.event', example: 'evt_…' },
];

export function Home({ found }: { found: LastSearch }) {
  const { t } = useMessages();
  const [before = '', after = ''] = t('home.lead', { key: '\u0000' }).split('\u0000');
  return (
    <Stack gap="xl" className="home">
      <div>
        <Title order={1} className="headline">
          {t('home.title')}
        </Title>
        <Text c="dimmed" mt={6}>
          {before}
          <Kbd>/</Kbd>
          {after}
        </Text>
      </div>
      <div aria-live="polite" className="news">
        {found && found.items.length === 0 && <NothingFound found={found} />}
      </div>
      <Recent />
      <section aria-labelledby="kinds">
        <Title order={2} size="h5" mb="sm" id="kinds">
          {t('home.kinds')}
        </Title>
        <ul className="kinds">
          {KINDS.map(({ icon, key, example }) => (
            <li key={key}>
              <span className="kind-icon">
                <Icon name={icon} size={20} />
              </span>
              <span>
                <Text span fw={600} size="sm" display="block">
                  {t(key)}
                </Text>
                <Text span c="dimmed" size="sm" ff="monospace" className="examples">
                  {example}
                </Text>
              </span>
            </li>
          ))}
        </ul>
      </section>
    </Stack>
  );
}

function NothingFound({ found }: { found: NonNullable<LastSearch> }) {
  const { t } = useMessages();
  const isUnknown = found.kind === 'unknown';
  return (
    <Alert className="note" data-tone="warning" icon={<Icon name="search" />} title={t(isUnknown ? 'search.unknown' : 'search.none')}>
      {isUnknown ? t('search.unknownHint') : t('search.noneHint', { kind: found.kind })}
    </Alert>
  );
}

function Recent() {
  const { t } = useMessages();
  const recent = useQuery({ queryKey: ['recent'], queryFn: api.recent, refetchInterval: 10_000 });
  return (
    <section aria-labelledby="recent">
      <Title order={2} size="h5" mb="sm" id="recent">
        {t('home.recent')}
      </Title>
      {recent.data && recent.data.items.length === 0 && <NoLines />}
      {recent.data && recent.data.items.length > 0 && <LineList lines={recent.data.items} />}
      {!recent.data && recent.error && <Failure failure={recent.error} retry={() => void recent.refetch()} />}
      {recent.isPending && <Skeleton height={168} radius="md" />}
    </section>
  );
}

function NoLines() {
  const { t } = useMessages();
  return (
    <Paper withBorder p="lg">
      <Text fw={600}>{t('home.none')}</Text>
      <Text c="dimmed" size="sm" mt={4}>
        {t(isSandbox ? 'home.noneSandbox' : 'home.noneHint')}
      </Text>
      {isSandbox && (
        <Code block mt="sm">
          npm run demo
        </Code>
      )}
    </Paper>
  );
}

/** Lines to choose from, each a link. */
export function LineList({ lines }: { lines: readonly LineSummary[] }) {
  const { locale } = useMessages();
  const times = createTimes(locale, Intl.DateTimeFormat().resolvedOptions().timeZone);
  return (
    <ul className="lines">
      {lines.map((line) => (
        <li key={line.id}>
          <a
            href={hrefOf({ page: 'line', id: line.id })}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              goTo({ page: 'line', id: line.id });
            }}
          >
            <span className="line-number">{line.msisdn}</span>
            <Status status={line.status} />
            <span className="line-more">
              {line.partnerId} · {line.market} · {times.moment(line.createdAt)}
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}
