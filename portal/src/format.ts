/** One instant in the operator's zone and in UTC. */
export interface ShownTime {
  /** A day of the zone, to group by: `2026-11-22`. */
  day: string;
  local: string;
  utc: string;
}

export function createTimes(language: string, timeZone: string) {
  const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
  const dayKey = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
  const local = new Intl.DateTimeFormat(language, { ...clock, timeZone });
  const utc = new Intl.DateTimeFormat(language, { ...clock, timeZone: 'UTC' });
  const dayName = new Intl.DateTimeFormat(language, { timeZone, weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const moment = new Intl.DateTimeFormat(language, { timeZone, dateStyle: 'medium', timeStyle: 'short' });
  return {
    of(at: string): ShownTime {
      const instant = new Date(at);
      return { day: dayKey.format(instant), local: local.format(instant), utc: `${utc.format(instant)} UTC` };
    },
    day: (at: string) => dayName.format(new Date(at)),
    moment: (at: string) => moment.format(new Date(at)),
  };
}

export type Times = ReturnType<typeof createTimes>;

export function formatMoney({ amountMinor, currency }: { amountMinor: number; currency: string }, language: string): string {
  const format = new Intl.NumberFormat(language, { style: 'currency', currency });
  return format.format(amountMinor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** 1,000,000,000 → 1 GB; decimal, as operators sell. */
export function formatBytes(bytes: number, language: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const unit = units[step] ?? 'byte';
  return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: 1 }).format(bytes / 1_000 ** step);
}

export function formatBitRate(bitsPerSecond: number, language: string): string {
  const isMega = bitsPerSecond >= 1_000_000;
  const amount = new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(bitsPerSecond / (isMega ? 1e6 : 1e3));
  return `${amount} ${isMega ? 'Mbit/s' : 'kbit/s'}`;
}
