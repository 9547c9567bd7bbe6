/** What the sandbox uses of the npm package `smpp` 0.5.1, which has no types. A field that came from a peer may be anything. */
declare module 'smpp' {
  import type { EventEmitter } from 'node:events';
  import type { Server as NetServer, Socket } from 'node:net';

  export interface Pdu {
    command: string;
    command_length: number;
    command_id: number;
    command_status: number;
    sequence_number: number;
    system_id?: unknown;
    password?: unknown;
    source_addr_ton?: unknown;
    source_addr?: unknown;
    dest_addr_ton?: unknown;
    destination_addr?: unknown;
    esm_class?: unknown;
    registered_delivery?: unknown;
    data_coding?: unknown;
    /** `{ message: string | Buffer, udh?: Buffer[] }` after decoding; absent when the body was cut short. */
    short_message?: unknown;
    message_payload?: unknown;
    sar_msg_ref_num?: unknown;
    sar_total_segments?: unknown;
    sar_segment_seqnum?: unknown;
    receipted_message_id?: unknown;
    message_state?: unknown;
    message_id?: unknown;
    isResponse(): boolean;
    /** Throws for a command that has no response. */
    response(fields?: Record<string, unknown>): Pdu;
    toBuffer(): Buffer;
  }

  export interface Session extends EventEmitter {
    readonly socket: Socket;
    /** Private to the package: the length it has read and whose body it awaits; 0 to 15 means that it is stuck for ever. */
    readonly _command_length: number | false | null;
    /** Gives a request its sequence number; false when the socket is not writable. Throws when a field cannot be encoded. */
    send(pdu: Pdu, onResponse?: (response: Pdu) => void): boolean;
    pause(): void;
    resume(): void;
    close(onClosed?: () => void): void;
    destroy(onClosed?: () => void): void;
  }

  interface Smpp {
    /** From fields, or from the octets of one PDU. */
    PDU: new (
      command: string | Buffer,
      fields?: Record<string, unknown>,
    ) => Pdu;
    createServer(onSession: (session: Session) => void): NetServer;
    connect(options: { host: string; port: number }): Session;
    encodings: { ASCII: { match(text: string): boolean } };
    /** Tables: 0 default, 1 Turkish, 2 Spanish, 3 Portuguese. */
    gsmCoder: { encode(text: string, table: number): Buffer; decode(septets: Buffer, table: number): string };
    errors: Record<string, number>;
  }

  const smpp: Smpp;
  export default smpp;
}
