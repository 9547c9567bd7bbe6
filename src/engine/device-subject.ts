/** Where a device's wake-ups go on the bus. Bodies: `new`, `removed`, `connected <order>`. */
export const deviceSubject = (deviceId: string): string => `device.${deviceId}`;

export const WOKEN = 'new';
export const REMOVED = 'removed';

const CONNECTED = 'connected ';

export const connectedBody = (order: string): string => `${CONNECTED}${order}`;

/** The order of the connection that tells of itself, if that is what the body is. */
export const newerConnection = (body: string): string | undefined =>
  body.startsWith(CONNECTED) ? body.slice(CONNECTED.length) : undefined;

export const isRemoval = (body: string): boolean => body === REMOVED;
