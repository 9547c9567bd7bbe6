import { createGsmAlphabet, type SeptetTable } from './gsm-alphabet.js';

/** GSM 7-bit default alphabet in code order (3GPP TS 23.038 §6.2.1); 0x1b is the escape to the extension table. */
export const DEFAULT_TABLE: SeptetTable = Array.from(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);

/** Extension table (§6.2.1.1): each of these takes the escape and one more septet. */
export const EXTENSION: ReadonlyMap<number, string> = new Map([
  [0x0a, '\f'], [0x14, '^'], [0x28, '{'], [0x29, '}'], [0x2f, '\\'], [0x3c, '['], [0x3d, '~'], [0x3e, ']'], [0x40, '|'], [0x65, '€'],
]); // biome-ignore format: one glance, one list

/** A table of 128 cells from the few that are not empty. */
export const tableOf = (cells: ReadonlyMap<number, string>): SeptetTable => Array.from({ length: 0x80 }, (_, code) => cells.get(code));

/** The alphabet that every handset and every SMSC has. */
export const GSM = createGsmAlphabet(DEFAULT_TABLE, tableOf(EXTENSION));

export const { septets: gsmSeptets, encode: encodeGsm, decode: decodeGsm, septetsOfUnit: gsmSeptetsOfUnit } = GSM;
