import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/zero-rating/traffic-lists/canonical-json.js';
import { toCidrText, toCsv, toPfdManagement } from '../../src/zero-rating/traffic-lists/export-rules.js';
import { type Flow, parseFlowDescription, writeFlowDescription } from '../../src/zero-rating/traffic-lists/flow-description.js';
import { generateRules } from '../../src/zero-rating/traffic-lists/generate-rules.js';
import { lintRules } from '../../src/zero-rating/traffic-lists/lint-rules.js';
import type { Pfd } from '../../src/zero-rating/traffic-lists/rules.js';
import { ORIGINS } from './world.js';

/** The contract's own pattern of a FlowDescription. */
const CONTRACT = /^permit (in|out) (ip|[0-9]{1,3}) from \S+( [0-9,-]+)? to \S+( [0-9,-]+)?$/;

const port = fc.integer({ min: 0, max: 65_535 });
const ports = fc.array(
  fc.tuple(port, port).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
  { maxLength: 4 },
);
const address = fc.oneof(
  fc.constantFrom('any', 'assigned'),
  fc.ipV4(),
  fc.ipV6().filter((text) => !text.includes('.')),
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([ip, length]) => `${ip}/${length}`),
  fc
    .tuple(
      fc.ipV6().filter((text) => !text.includes('.')),
      fc.integer({ min: 0, max: 128 }),
    )
    .map(([ip, length]) => `${ip}/${length}`),
);
const end = fc.record({ address, ports });
const flow: fc.Arbitrary<Flow> = fc.record({
  direction: fc.constantFrom('in', 'out'),
  protocol: fc.oneof(fc.constant('ip' as const), fc.integer({ min: 0, max: 255 })),
  from: end,
  to: end,
});

describe('flow descriptions (IPFilterRule, RFC 6733 §4.3.1, as TS 29.122 narrows it)', () => {
  test('what is written is read back, and the contract accepts it', () => {
    fc.assert(
      fc.property(flow, (given) => {
        const text = writeFlowDescription(given);
        expect(text).toMatch(CONTRACT);
        expect(parseFlowDescription(text)).toEqual(given);
      }),
    );
  });

  test('a rule with a word changed, added or lost is never read as another one', () => {
    fc.assert(
      fc.property(flow, fc.nat(), fc.constantFrom('deny', '!', 'frag', '999', '1-', '300.1.1.1', '70000', ''), (given, place, word) => {
        const words = writeFlowDescription(given).split(' ');
        words.splice(place % (words.length + 1), 1, word);
        const read = parseFlowDescription(words.join(' '));
        if (read) expect(writeFlowDescription(read)).toBe(words.join(' '));
      }),
    );
  });

  test.each([
    'deny out 6 from 8.8.8.0/24 443 to any',
    'permit out tcp from 8.8.8.0/24 443 to any',
    'permit out 256 from 8.8.8.0/24 to any',
    'permit out 6 from !8.8.8.0/24 to any',
    'permit out 6 from 8.8.8.0/33 to any',
    'permit out 6 from 8.8.8 to any',
    'permit out 6 from 010.8.8.8 to any',
    'permit out 6 from 8.8.8.8 65536 to any',
    'permit out 6 from 8.8.8.8 500-400 to any',
    'permit out 6 from 8.8.8.8 to any frag',
    'permit out 6 from fe80::1%eth0 to any',
    ' permit out 6 from 8.8.8.8 to any',
    'permit out 6 from 8.8.8.8 to any\n',
    '',
  ])('refuses %j', (text) => {
    expect(parseFlowDescription(text)).toBeUndefined();
  });

  test('no text makes it throw or take long', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ maxLength: 300 }), fc.stringMatching(CONTRACT)), (text) => void parseFlowDescription(text)));
    expect(parseFlowDescription(`permit out 6 from 8.8.8.8 ${'1,'.repeat(50_000)} to any`)).toBeUndefined();
  });
});

describe('rules from the deployment itself', () => {
  test('a name with TLS is matched by its SNI, one kind of filter each, its own networks and relays beside it', () => {
    const sources = {
      origins: { ...ORIGINS, calls: 'https://calls.chat.example:8443' },
      networks: { calls: ['8.8.8.0/24', '2a00:1450:4000::/37'] },
      relays: [
        {
          network: '9.9.9.9',
          transport: 'udp' as const,
          ports: [
            { from: 3478, to: 3478 },
            { from: 49_152, to: 65_535 },
          ],
        },
      ],
    };
    expect(generateRules('voip', sources)).toEqual({
      externalAppId: 'causeway.voip',
      pfds: [
        { pfdId: 'calls-names', domainNames: ['calls.chat.example'], dnProtocol: 'TLS_SNI' },
        { pfdId: 'calls-v4', flowDescriptions: ['permit out 6 from 8.8.8.0/24 8443 to any'] },
        { pfdId: 'calls-v6', flowDescriptions: ['permit out 6 from 2a00:1450:4000::/37 8443 to any'] },
        { pfdId: 'relay-v4', flowDescriptions: ['permit out 17 from 9.9.9.9/32 3478,49152-65535 to any'] },
      ],
    });
    expect(lintRules(generateRules('voip', sources), { sandbox: false })).toEqual([]);
    // Another class has its own origin, and no relay.
    expect(generateRules('messaging-text', sources).pfds.map(({ pfdId }) => pfdId)).toEqual(['text-names']);
  });

  test.each([
    ['http://127.0.0.1:8080', ['permit out 6 from 127.0.0.1/32 8080 to any']],
    ['http://[::1]:8080', ['permit out 6 from ::1/128 8080 to any']],
    ['https://8.8.4.4', ['permit out 6 from 8.8.4.4/32 443 to any']],
  ])('a literal address becomes a flow: %s', (origin, flows) => {
    const { pfds } = generateRules('messaging-text', { origins: { ...ORIGINS, text: origin } });
    expect(pfds.map((pfd) => pfd.flowDescriptions)).toEqual([flows]);
  });

  test('localhost is the two loopback addresses; a name without TLS is seen in the DNS question', () => {
    const rulesOf = (text: string) => generateRules('messaging-text', { origins: { ...ORIGINS, text } });
    expect(rulesOf('http://localhost:8080').pfds.flatMap((pfd) => pfd.flowDescriptions)).toEqual([
      'permit out 6 from 127.0.0.1/32 8080 to any',
      'permit out 6 from ::1/128 8080 to any',
    ]);
    expect(rulesOf('http://text.chat.example').pfds).toEqual([
      { pfdId: 'text-names', domainNames: ['text.chat.example'], dnProtocol: 'DNS_QNAME' },
    ]);
  });
});

describe('the lint', () => {
  const lint = (pfd: Omit<Pfd, 'pfdId'>, sandbox = false) => lintRules({ externalAppId: 'a', pfds: [{ pfdId: 'p', ...pfd }] }, { sandbox });
  const flows = (...addresses: string[]) => ({ flowDescriptions: addresses.map((from) => `permit out 6 from ${from} 443 to any`) });
  const names = (...domainNames: string[]) => ({ domainNames, dnProtocol: 'TLS_SNI' as const });

  test.each([
    ['8.0.0.0/8', true],
    ['8.0.0.0/7', false],
    ['0.0.0.0/0', false],
    ['2a00::/20', true],
    ['2a00::/19', false],
    ['::/0', false],
    ['10.1.2.3', false],
    ['127.0.0.1', false],
    ['203.0.113.0/24', false],
    ['169.254.169.254', false],
    ['fd00::1', false],
    ['any', false],
  ])('in production, source %s may be published: %s', (from, fine) => {
    expect(lint(flows(from))).toHaveLength(fine ? 0 : 1);
  });

  test('the sandbox may name loopback and its own network, and still no more than that', () => {
    expect(lint(flows('127.0.0.1', '::1', '172.17.0.2', '192.168.1.5'), true)).toEqual([]);
    expect(lint(flows('0.0.0.0/0', '169.254.169.254', '203.0.113.1', '10.0.0.0/7'), true)).toHaveLength(4);
  });

  test.each([
    ['text.chat.example', true],
    ['chat.co.uk', true],
    ['co.uk', false],
    ['com.jm', false],
    ['example', false],
    ['herokuapp.com', false],
    ['*.chat.example', false],
    ['-a.example', false],
    ['1.2.3', false],
  ])('the name %s may be published: %s', (name, fine) => {
    expect(lint(names(name))).toHaveLength(fine ? 0 : 1);
  });

  test('two kinds of filters in one PFD, none at all, or rules toward the server are refused', () => {
    expect(lint({ ...names('a.example'), ...flows('8.8.8.8') })).toHaveLength(1);
    expect(lint({})).toHaveLength(1);
    expect(lint({ flowDescriptions: ['permit in 6 from any to 8.8.8.8 443'] })).toHaveLength(1);
    expect(lintRules({ externalAppId: 'a', pfds: [] }, { sandbox: true })).toHaveLength(1);
  });
});

describe('exports', () => {
  const rules = {
    externalAppId: 'causeway.voip',
    pfds: [
      { pfdId: 'calls-names', domainNames: ['calls.chat.example'], dnProtocol: 'TLS_SNI' as const },
      {
        pfdId: 'calls-v4',
        flowDescriptions: ['permit out 6 from 8.8.8.0/24 443 to any', 'permit out 17 from 8.8.8.0/24 443,3478-3479 to any'],
      },
    ],
  };
  test('pfd: applications and PFDs are objects keyed by their ids (TS 29.122 PfdManagement)', () => {
    expect(toPfdManagement(rules, 10)).toEqual({
      pfdDatas: {
        'causeway.voip': {
          externalAppId: 'causeway.voip',
          allowedDelay: 864_000,
          pfds: { 'calls-names': rules.pfds[0], 'calls-v4': rules.pfds[1] },
        },
      },
    });
  });
  test('cidr: each network once, one a line', () => {
    expect(toCidrText(rules)).toBe('8.8.8.0/24\n');
  });
  test('csv: a header row, then one filter a row, port lists quoted', () => {
    expect(toCsv(rules)).toBe(
      'pfdId,kind,protocol,value,port\ncalls-names,domain,TLS_SNI,calls.chat.example,\ncalls-v4,cidr,6,8.8.8.0/24,443\ncalls-v4,cidr,17,8.8.8.0/24,"443,3478-3479"\n',
    );
  });
});

describe('canonical JSON (RFC 8785)', () => {
  test('the example of the RFC, section 3.2.3', () => {
    const given = { '\u20ac': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Hebrew Letter Dalet With Dagesh', '1': 'One', '\ud83d\ude00': 'Emoji: Grinning Face', '\u0080': 'Control', '\u00f6': 'Latin Small Letter O With Diaeresis' }; // biome-ignore format: as the RFC
    expect([...canonicalJson(given).matchAll(/:"([^"]*)"/g)].map(([, value]) => value)).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });
  test('members in any order make the same text, and it is still the same value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
        expect(JSON.stringify(JSON.parse(canonicalJson(value)))).toBe(JSON.stringify(JSON.parse(canonicalJson(turned))));
      }),
    );
  });
});
