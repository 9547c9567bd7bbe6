import { useMessages } from './messages';

const TONES: Readonly<Record<string, string>> = {
  active: 'good',
  pending: 'waiting',
  terminating: 'waiting',
  suspended: 'warning',
  exhausted: 'warning',
  failed: 'bad',
};

/** A state as a word with a dot; the colour only repeats what the word says. */
export function Status({ status }: { status: string }) {
  const { or } = useMessages();
  return (
    <span className="status" data-tone={TONES[status] ?? 'quiet'}>
      {or(`status.${status}`, status)}
    </span>
  );
}
