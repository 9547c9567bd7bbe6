/** What `npm start` says once it serves: plain words, no token and no number. */
export function welcome(gateway: {
  url: string;
  operationsUrl: string;
  credentialsFile: string | undefined;
  esmeListener: string;
  smsc: string | undefined;
}): string {
  const lines = [
    '',
    `Causeway serves at ${gateway.url}`,
    `  partner API      ${gateway.url}/v1        (try it: ${gateway.url}/docs)`,
    `  portal           ${gateway.url}/portal`,
    `  messaging API    ${gateway.url}/messaging/v1`,
    `  operations       ${gateway.operationsUrl}/readyz and /metrics`,
    `  SMPP for ESMEs   ${gateway.esmeListener}`,
    ...(gateway.smsc ? [`  simulated SMSC   ${gateway.smsc}`] : []),
    ...(gateway.credentialsFile ? ['', `The sandbox partners' credentials, and the portal's, are in ${gateway.credentialsFile}`] : []),
    '',
    'Next, in another terminal: npm run demo',
    'Ctrl-C stops it cleanly.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}
