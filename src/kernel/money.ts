/** An amount in the currency's minor unit (ISO 4217). Floats never hold money. */
export interface Money {
  amountMinor: number;
  currency: string;
}

/** `unitPrice` times a whole number of units. */
export function multiply(unitPrice: Money, units: number): Money {
  const amountMinor = unitPrice.amountMinor * units;
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError('the amount is not a safe integer');
  return { amountMinor, currency: unitPrice.currency };
}
