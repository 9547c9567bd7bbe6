import type { SmsBridge } from '../../sms/index.js';
import type { PartnerRoutes } from '../route.js';

export function createSmsMessageRoutes({ sms }: { sms: Pick<SmsBridge, 'getMessage'> }): PartnerRoutes {
  return {
    getSmsMessage: {
      async handle({ caller, params }) {
        return { status: 200, body: await sms.getMessage(caller, String(params['smsId'])) };
      },
    },
  };
}
