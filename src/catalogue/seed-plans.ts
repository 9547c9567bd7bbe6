import type { PlanDocument, PlanStatus } from './plan.js';

export interface SeedPlan {
  partnerId: string;
  market: string;
  code: string;
  status: PlanStatus;
  /** When the offer began in the world; RFC 3339. */
  effectiveFrom: string;
  document: PlanDocument;
}

const eur = (amountMinor: number) => ({ amountMinor, currency: 'EUR' });

/** Public facts of the offer of 2014 (telecom.md section 10); prices are historical. */
const messagingSim: PlanDocument = {
  name: 'Prepaid messaging SIM',
  description:
    'Starter pack with 10 EUR of credit. Messaging works with no credit left; beyond 1 GB of it in 30 days the speed drops to 56 kbit/s. 9 ct a minute, 9 ct an SMS, 24 ct a megabyte.',
  price: eur(1_000),
  validity: null,
  allowances: [
    { type: 'credit', unit: 'cent', quantity: 1_000, description: 'Credit that the starter pack includes.' },
    { type: 'voice', unit: 'minute', price: eur(9), description: 'A minute to any network, from the credit.' },
    { type: 'sms', unit: 'message', price: eur(9), description: 'An SMS to any network, from the credit.' },
  ],
  dataCharging: { stepBytes: 10_000, bytesPerUnit: 1_000_000, pricePerUnit: eur(24) },
  zeroRating: [
    {
      trafficClass: 'messaging-text',
      kind: 'app-specific',
      usableAtZeroBalance: true,
      cap: { bytes: 1_000_000_000, period: 'P30D' },
      onExhaust: { action: 'throttle', bitsPerSecond: 56_000 },
    },
    {
      trafficClass: 'messaging-media',
      kind: 'app-specific',
      usableAtZeroBalance: true,
      cap: { bytes: 1_000_000_000, period: 'P30D' },
      onExhaust: { action: 'throttle', bitsPerSecond: 56_000 },
    },
  ],
};

const optionOf600Units: PlanDocument = {
  name: 'Option with 600 units',
  description: '600 units in 30 days: one unit is a megabyte, a minute or an SMS. After them data goes on at 56 kbit/s.',
  price: eur(1_000),
  validity: 'P30D',
  allowances: [],
  unitBucket: {
    units: 600,
    conversions: [
      { unit: 'megabyte', quantity: 1 },
      { unit: 'minute', quantity: 1 },
      { unit: 'sms', quantity: 1 },
    ],
  },
  zeroRating: [],
};

const applicationAgnostic: PlanDocument = {
  name: 'Basic data at zero balance',
  description: 'All traffic alike at 64 kbit/s when the balance is zero: what the law in the European Union leaves room for.',
  price: eur(500),
  validity: 'P28D',
  allowances: [],
  zeroRating: [
    {
      trafficClass: 'all',
      kind: 'application-agnostic',
      usableAtZeroBalance: true,
      onExhaust: { action: 'throttle', bitsPerSecond: 64_000 },
    },
  ],
  legalReference: 'Regulation (EU) 2015/2120, article 3(3); BEREC BoR (22) 81',
};

const pass = (days: number, amountMinor: number, currency: string): PlanDocument => ({
  name: `${days}-day messaging pass`,
  description: `Messaging free of data charges for ${days} day${days === 1 ? '' : 's'}; 250 MB a day, then ordinary charges.`,
  price: { amountMinor, currency },
  validity: `P${days}D`,
  allowances: [],
  zeroRating: [
    {
      trafficClass: 'messaging-text',
      kind: 'app-specific',
      usableAtZeroBalance: true,
      cap: { bytes: 250_000_000, period: 'P1D' },
      onExhaust: { action: 'charge' },
    },
  ],
});

/** The plans of the sandbox's partners. The E-Plus offer stands in the real market as a draft: the law keeps it there. */
export const SEED_PLANS: readonly SeedPlan[] = [
  { partnerId: 'e-plus', market: 'XS', code: 'messaging-sim', status: 'published', effectiveFrom: '2014-04-07T00:00:00.000Z', document: messagingSim },
  { partnerId: 'e-plus', market: 'XS', code: 'units-600', status: 'published', effectiveFrom: '2014-04-07T00:00:00.000Z', document: optionOf600Units },
  { partnerId: 'e-plus', market: 'DE', code: 'messaging-sim', status: 'draft', effectiveFrom: '2014-04-07T00:00:00.000Z', document: messagingSim },
  { partnerId: 'e-plus', market: 'DE', code: 'basic-data', status: 'published', effectiveFrom: '2023-04-01T00:00:00.000Z', document: applicationAgnostic },
  { partnerId: 'cable-and-wireless', market: 'XS', code: 'pass-1', status: 'published', effectiveFrom: '2014-06-01T00:00:00.000Z', document: pass(1, 100, 'USD') },
  { partnerId: 'cable-and-wireless', market: 'XS', code: 'pass-7', status: 'published', effectiveFrom: '2014-06-01T00:00:00.000Z', document: pass(7, 500, 'USD') },
  { partnerId: 'cable-and-wireless', market: 'JM', code: 'pass-7', status: 'published', effectiveFrom: '2014-06-01T00:00:00.000Z', document: pass(7, 35_000, 'JMD') },
  { partnerId: 'cable-and-wireless', market: 'BB', code: 'pass-7', status: 'published', effectiveFrom: '2014-06-01T00:00:00.000Z', document: pass(7, 700, 'BBD') },
]; // biome-ignore format: a table
