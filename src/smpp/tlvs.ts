/** One optional parameter as it stands on the wire (SMPP 3.4 §3.2.4.1); an unknown tag is kept like any other. */
export interface Tlv {
  readonly tag: number;
  readonly value: Buffer;
}

interface TlvSpec {
  readonly tag: number;
  readonly kind: 'uint' | 'text' | 'octets';
  /** Fewest and most octets of the value; for `text` with or without its NUL. */
  readonly min: number;
  readonly max: number;
}

const uint = (tag: number, size: 1 | 2 | 4) => ({ tag, kind: 'uint', min: size, max: size }) as const;
const text = (tag: number, max: number) => ({ tag, kind: 'text', min: 1, max }) as const;
const octets = (tag: number, min: number, max: number) => ({ tag, kind: 'octets', min, max }) as const;

/** Optional parameters of SMPP 3.4 §5.3.2, and those of 5.0 (§4.8.4) that concern messages to one handset. */
export const TLVS = {
  dest_addr_subunit: uint(0x0005, 1),
  dest_network_type: uint(0x0006, 1),
  dest_bearer_type: uint(0x0007, 1),
  dest_telematics_id: uint(0x0008, 2),
  source_addr_subunit: uint(0x000d, 1),
  source_network_type: uint(0x000e, 1),
  source_bearer_type: uint(0x000f, 1),
  source_telematics_id: uint(0x0010, 1),
  qos_time_to_live: uint(0x0017, 4),
  payload_type: uint(0x0019, 1),
  additional_status_info_text: text(0x001d, 256),
  receipted_message_id: text(0x001e, 65),
  ms_msg_wait_facilities: uint(0x0030, 1),
  privacy_indicator: uint(0x0201, 1),
  source_subaddress: octets(0x0202, 2, 23),
  dest_subaddress: octets(0x0203, 2, 23),
  user_message_reference: uint(0x0204, 2),
  user_response_code: uint(0x0205, 1),
  source_port: uint(0x020a, 2),
  destination_port: uint(0x020b, 2),
  sar_msg_ref_num: uint(0x020c, 2),
  language_indicator: uint(0x020d, 1),
  sar_total_segments: uint(0x020e, 1),
  sar_segment_seqnum: uint(0x020f, 1),
  sc_interface_version: uint(0x0210, 1),
  callback_num_pres_ind: uint(0x0302, 1),
  callback_num_atag: octets(0x0303, 0, 65),
  number_of_messages: uint(0x0304, 1),
  callback_num: octets(0x0381, 4, 19),
  dpf_result: uint(0x0420, 1),
  set_dpf: uint(0x0421, 1),
  ms_availability_status: uint(0x0422, 1),
  /** §5.3.2.31: network type and a 16-bit error; some SMSCs write three digits, both are three octets. */
  network_error_code: octets(0x0423, 3, 3),
  /** §5.3.2.32: up to 64 kB by the standard; the longest PDU of ours bounds it earlier. */
  message_payload: octets(0x0424, 0, 65_535),
  delivery_failure_reason: uint(0x0425, 1),
  more_messages_to_send: uint(0x0426, 1),
  message_state: uint(0x0427, 1),
  /** SMPP 5.0 §4.8.4.18: 0 idle to 99 congested. */
  congestion_state: uint(0x0428, 1),
  ussd_service_op: octets(0x0501, 1, 1),
  /** SMPP 5.0 §4.8.4.3. */
  billing_identification: octets(0x060b, 1, 1024),
  source_network_id: text(0x060d, 66),
  dest_network_id: text(0x060e, 66),
  source_node_id: octets(0x060f, 6, 6),
  dest_node_id: octets(0x0610, 6, 6),
  dest_addr_np_resolution: uint(0x0611, 1),
  dest_addr_np_information: octets(0x0612, 10, 10),
  /** E.164 country code; SMPP 5.0 §4.8.4.20. */
  dest_addr_np_country: octets(0x0613, 1, 5),
  display_time: uint(0x1201, 1),
  sms_signal: uint(0x1203, 2),
  /** One octet in 3.4, one or four in 5.0. */
  ms_validity: octets(0x1204, 1, 4),
  /** No value in 3.4, one octet in 5.0. */
  alert_on_message_delivery: octets(0x130c, 0, 1),
  its_reply_type: uint(0x1380, 1),
  its_session_info: octets(0x1383, 2, 2),
} as const satisfies Record<string, TlvSpec>;

export type TlvName = keyof typeof TLVS;
type TlvValue<N extends TlvName> = (typeof TLVS)[N]['kind'] extends 'uint'
  ? number
  : (typeof TLVS)[N]['kind'] extends 'text'
    ? string
    : Buffer;

const SPEC_BY_TAG = new Map<number, TlvSpec>(Object.values(TLVS).map((spec) => [spec.tag, spec]));

/** Whether a value's length is one the standard allows for its tag; any length will do for a tag we do not know. */
export function isTlvLengthValid(tag: number, length: number): boolean {
  const spec = SPEC_BY_TAG.get(tag);
  return spec === undefined || (length >= spec.min && length <= spec.max);
}

/**
 * The value of the first parameter with this name, typed by the table, or undefined when the PDU has none.
 * Text ends at its NUL or, where the sender left that out, at the parameter's own length.
 */
export function readTlv<N extends TlvName>(tlvs: readonly Tlv[], name: N): TlvValue<N> | undefined {
  if (tlvs.length === 0) return undefined;
  const spec: TlvSpec = TLVS[name];
  const found = tlvs.find((tlv) => tlv.tag === spec.tag);
  if (!found || !isTlvLengthValid(spec.tag, found.value.length)) return undefined;
  return typedValue(spec, found.value) as TlvValue<N>;
}

function typedValue(spec: TlvSpec, value: Buffer): number | string | Buffer {
  if (spec.kind === 'uint') return value.readUIntBE(0, spec.min);
  if (spec.kind === 'octets') return value;
  const end = value.indexOf(0);
  return value.toString('latin1', 0, end < 0 ? value.length : end);
}

/** What a PDU without optional parameters has; one for all of them. */
export const NO_TLVS: readonly Tlv[] = Object.freeze([]);

/** Builds a parameter; text gets its NUL. The encoder checks the length. */
export function tlv<N extends TlvName>(name: N, value: TlvValue<N>): Tlv {
  const spec: TlvSpec = TLVS[name];
  if (typeof value === 'string') return { tag: spec.tag, value: Buffer.from(`${value}\0`, 'latin1') };
  if (Buffer.isBuffer(value)) return { tag: spec.tag, value };
  const integer = Buffer.alloc(spec.min);
  integer.writeUIntBE(Number(value), 0, spec.min);
  return { tag: spec.tag, value: integer };
}
