import { decodeCursor, pageOf } from '../../kernel/page.js';
import type { SmsBridge } from '../../sms/index.js';
import type { PartnerRoutes } from '../route.js';

/** What a link's id looks like in partner.yaml. */
const LINK_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function createSmppLinkRoutes({ sms }: { sms: Pick<SmsBridge, 'links'> }): PartnerRoutes {
  return {
    listSmppLinks: {
      async handle({ caller, query }) {
        const given = query['after'] === undefined ? undefined : String(query['after']);
        const after = decodeCursor(given, LINK_ID);
        const limit = Number(query['limit'] ?? 50);
        const links = (await sms.links(caller.partnerId)).filter(({ id }) => after === undefined || id > after);
        return {
          status: 200,
          body: pageOf(
            links.slice(0, limit + 1),
            limit,
            ({ id }) => id,
            (link) => link,
          ),
        };
      },
    },
  };
}
