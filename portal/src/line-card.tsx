import { Button, Divider, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { api, type Entitlement, type Line } from './api';
import { Copy, CopyableId } from './copyable';
import { createTimes, formatBitRate, formatBytes } from './format';
import { Icon } from './icons';
import { useMessages } from './messages';
import { Status } from './status';

export function LineCard({ line }: { line: Line }) {
  const { t, locale } = useMessages();
  const times = createTimes(locale, line.timeZone);
  const { shown, secondsLeft, reveal } = useReveal(line.id);
  const numbers = shown ?? line;
  return (
    <Paper withBorder p={{ base: 'md', sm: 'lg' }} className="card">
      <Stack gap="md">
        <div>
          <Group justify="space-between" align="center" gap="xs">
            <Title order={1} className="number" data-revealed={shown !== undefined}>
              {numbers.msisdn}
            </Title>
            <Status status={line.status} />
          </Group>
          <Text mt={4}>
            {line.plan.name}{' '}
            <Text span c="dimmed" size="sm">
              {t('line.version', { version: line.plan.version })}
            </Text>
          </Text>
          <Text size="sm" c="dimmed">
            {line.partnerName} · {line.market}
          </Text>
        </div>
        <Group gap="sm">
          <Button
            variant="default"
            size="sm"
            leftSection={<Icon name={shown ? 'hide' : 'eye'} size={16} />}
            loading={reveal.isPending}
            onClick={() => (shown ? reveal.reset() : reveal.mutate())}
          >
            {t(shown ? 'line.hide' : 'line.reveal')}
          </Button>
          {shown && <Copy value={shown.msisdn} what={t('line.msisdn')} />}
          {shown && (
            <Text size="xs" c="dimmed" className="reveal-note">
              {t('line.revealed', { seconds: secondsLeft })}
            </Text>
          )}
        </Group>
        <Divider />
        <dl className="facts">
          <Fact name={t('line.iccid')}>
            <span className="digits">{numbers.iccid}</span>
          </Fact>
          {numbers.imsi !== undefined && (
            <Fact name={t('line.imsi')}>
              <span className="digits">{numbers.imsi}</span>
            </Fact>
          )}
          {line.activatedAt !== undefined && <Fact name={t('line.activated')}>{times.moment(line.activatedAt)}</Fact>}
          {line.endedAt !== undefined && <Fact name={t('line.ended')}>{times.moment(line.endedAt)}</Fact>}
          {line.lastConfirmedAt !== undefined && <Fact name={t('line.confirmed')}>{times.moment(line.lastConfirmedAt)}</Fact>}
          <Fact name={t('line.id')}>
            <CopyableId id={line.id} what={t('line.id')} />
          </Fact>
          <Fact name={t('line.order')}>
            <CopyableId id={line.orderId} what={t('line.order')} />
          </Fact>
          <Fact name={t('line.sim')}>
            <CopyableId id={line.simId} what={t('line.sim')} />
          </Fact>
        </dl>
        <Divider />
        <section aria-labelledby="entitlements">
          <Title order={2} size="h5" id="entitlements" mb="xs">
            {t('line.entitlements')}
          </Title>
          {line.entitlements.length === 0 && (
            <Text size="sm" c="dimmed">
              {t('line.noEntitlements')}
            </Text>
          )}
          <Stack gap="sm">
            {line.entitlements.map((entitlement) => (
              <EntitlementRow key={entitlement.id} entitlement={entitlement} />
            ))}
          </Stack>
        </section>
      </Stack>
    </Paper>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function EntitlementRow({ entitlement }: { entitlement: Entitlement }) {
  const { t, locale } = useMessages();
  const { cap, onExhaust, trafficClass, status, reason } = entitlement;
  const days = /^P(\d+)D$/.exec(cap?.period ?? '')?.[1];
  const period = days === undefined ? cap?.period : t('period.days', { days: Number(days) });
  const size = cap && t('entitlement.cap', { size: formatBytes(cap.bytes, locale), period: period ?? '' });
  const after =
    onExhaust.action === 'throttle'
      ? t('entitlement.throttle', { rate: formatBitRate(onExhaust.bitsPerSecond ?? 0, locale) })
      : t(onExhaust.action === 'block' ? 'entitlement.block' : 'entitlement.charge');
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={600}>
          {trafficClass}
        </Text>
        <Status status={status} />
      </Group>
      <Text size="sm" c="dimmed">
        {size ? `${size}, ${after}` : t('entitlement.noCap')}
        {reason !== undefined && ` · ${reason}`}
      </Text>
    </div>
  );
}

/** The whole numbers, for as long as the gateway says; nothing keeps them afterwards. */
function useReveal(id: string) {
  const reveal = useMutation({ mutationFn: () => api.reveal(id), gcTime: 0 });
  const shown = reveal.data;
  const { reset } = reveal;
  const [secondsLeft, setSecondsLeft] = useState(0);
  useEffect(() => {
    if (!shown) return;
    const end = performance.now() + shown.expiresInMs;
    const tick = () => {
      const left = Math.ceil((end - performance.now()) / 1_000);
      setSecondsLeft(left);
      if (left <= 0) reset();
    };
    tick();
    const timer = window.setInterval(tick, 1_000);
    return () => window.clearInterval(timer);
  }, [shown, reset]);
  return { shown, secondsLeft, reveal };
}
