import { Text } from '@mantine/core';
import type { Step } from './api';
import { CopyableId } from './copyable';
import { formatMoney, type ShownTime } from './format';
import { Icon, type IconName } from './icons';
import { useMessages } from './messages';

const ICONS: Readonly<Record<string, IconName>> = {
  order: 'order',
  task: 'task',
  subscription: 'subscription',
  entitlement: 'entitlement',
  'traffic-list': 'list',
  account: 'account',
  fallback: 'fallback',
  sms: 'sms',
  'sms-reply': 'reply',
  line: 'line',
  'event-subscription': 'bell',
};

/** The end of a step's type says how it went. */
const TONES: Readonly<Record<string, string>> = {
  completed: 'good',
  confirmed: 'good',
  active: 'good',
  granted: 'good',
  delivered: 'good',
  received: 'good',
  failed: 'bad',
  rejected: 'bad',
  undelivered: 'bad',
  'timed-out': 'bad',
  unknown: 'warning',
  suspended: 'warning',
  partial: 'warning',
  'awaiting-operator': 'waiting',
  armed: 'waiting',
};

export function StepRow({ step, time, isNew }: { step: Step; time: ShownTime; isNew: boolean }) {
  const { or, locale } = useMessages();
  const ending = step.type.slice(step.type.indexOf('.') + 1);
  return (
    <li className="step" data-new={isNew} data-tone={TONES[ending] ?? 'plain'}>
      <span className="step-icon">
        <Icon name={ICONS[step.type.split('.', 1)[0] ?? ''] ?? 'line'} />
      </span>
      <div className="step-body">
        <div className="step-head">
          <Text fw={600} className="step-words">
            {or(`event.${step.type}`, step.summary)}
          </Text>
          <time dateTime={step.at} className="step-time">
            <span className="step-local">{time.local}</span> <span className="step-utc">{time.utc}</span>
          </time>
        </div>
        <div className="step-more">
          <code className="step-type">{step.type}</code>
          {step.price && <span className="price">{formatMoney(step.price, locale)}</span>}
          {step.facts.map(({ name, value }) => (
            <span key={`${name} ${value}`} className="fact">
              <span className="fact-name">{or(`fact.${name}`, name)}</span> {value}
            </span>
          ))}
        </div>
        <CopyableId id={step.resourceId} what={step.resourceType} />
      </div>
    </li>
  );
}
