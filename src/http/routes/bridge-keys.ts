import { toRfc3339 } from '../../kernel/clock.js';
import type { Opener } from '../../sms/index.js';
import type { DeviceRoutes } from '../route.js';

export function createBridgeKeyRoutes({ opener }: { opener: Pick<Opener, 'currentKeys'> }): DeviceRoutes {
  return {
    listBridgeKeys: {
      async handle() {
        const items = opener.currentKeys().map(({ notBefore, notAfter, ...key }) => ({
          ...key,
          notBefore: toRfc3339(notBefore),
          notAfter: toRfc3339(notAfter),
        }));
        return { status: 200, body: { items } };
      },
    },
  };
}
