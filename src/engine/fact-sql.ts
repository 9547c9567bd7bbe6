/**
 * SQL that writes the engine's facts (facts.ts) as JSON text. Both databases share `||` and little else for JSON, so
 * the text is put together here. Only columns whose values need no escaping may go through these: ids, codes, numbers,
 * E.164 numbers; never a name or anything a person typed.
 */
const quoted = (column: string): string => `CASE WHEN ${column} IS NULL THEN 'null' ELSE '"' || ${column} || '"' END`;
const numeric = (column: string): string => `COALESCE(CAST(${column} AS TEXT), 'null')`;

/** One JSON object: each member's value is an SQL expression that already gives JSON text. */
const object = (members: Record<string, string>): string =>
  `'{' || ${Object.entries(members)
    .map(([name, json]) => `'"${name}":' || ${json}`)
    .join(` || ',' || `)} || '}'`;

/** A fact of an account; the expressions give its columns. */
export const accountFactSql = (fact: {
  id: string;
  kind: string;
  at: string;
  partnerId: string;
  market: string;
  accountId: string;
  msisdn: string;
  more: Record<string, string>;
}): string =>
  object({
    id: quoted(fact.id),
    kind: `'"${fact.kind}"'`,
    at: numeric(fact.at),
    partnerId: quoted(fact.partnerId),
    market: quoted(fact.market),
    accountId: quoted(fact.accountId),
    msisdn: quoted(fact.msisdn),
    ...fact.more,
  });

/** The fact of a fallback's last step, from its row (`f`). */
export const fallbackFactSql: string = object({
  id: quoted('f.fact_id'),
  kind: `'"fallback.' || f.state || '"'`,
  at: numeric('f.updated_at'),
  partnerId: quoted('f.partner_id'),
  market: quoted('f.market'),
  fallback: object({
    id: quoted('f.id'),
    state: quoted('f.state'),
    reason: quoted('f.reason'),
    messageId: quoted('f.message_id'),
    mode: quoted('f.mode'),
    class: quoted('f.class'),
    ref: quoted('f.ref'),
    msisdn: quoted('f.msisdn'),
    subscriptionId: quoted('f.subscription_id'),
    correlator: quoted('f.correlator'),
    smsId: quoted('f.sms_id'),
    segments: numeric('f.segments'),
    price: `CASE WHEN f.price_minor IS NULL THEN 'null' ELSE ${object({ amountMinor: numeric('f.price_minor'), currency: quoted('f.price_currency') })} END`,
    armedAt: numeric('f.armed_at'),
    dueAt: numeric('f.due_at'),
    claimedAt: numeric('f.claimed_at'),
    submittedAt: numeric('f.submitted_at'),
    settledAt: numeric('f.settled_at'),
    updatedAt: numeric('f.updated_at'),
  }),
});

/** Quoting for values of the kinds named above, for the callers' own extra members. */
export const jsonTextSql = quoted;
