/**
 * What a person may do in the portal. `care` looks lines up and may see a whole number when it must; `admin` is the one
 * who will manage the partner's people and keys; `platform` is the messaging company's own and sees every partner.
 */
export const ROLES = ['care', 'admin', 'platform'] as const;
export type Role = (typeof ROLES)[number];

/** Who is signed in. */
export interface Person {
  userId: string;
  email: string;
  role: Role;
  /** Undefined for `platform` only. */
  partnerId: string | undefined;
  /** Undefined = all. */
  markets: readonly string[] | undefined;
}

export const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

/** Limits a query to what the person may see. A person of no partner who is not of the platform sees nothing. */
export function seenBy({ role, partnerId, markets }: Person) {
  if (role === 'platform') return {};
  return { partnerId: partnerId ?? '', ...(markets && { market: { in: [...markets] } }) };
}
