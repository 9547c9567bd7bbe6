import { WebSocket } from 'ws';

export interface ReceivedFrame {
  id: string;
  t: 'req' | 'res';
  verb?: string;
  path?: string;
  status?: number;
  body?: Record<string, unknown>;
}

export interface StreamClient {
  socket: WebSocket;
  frames: ReceivedFrame[];
  /** Resolves with the frames once they satisfy the condition; a closed socket rejects. */
  until(holds: (frames: ReceivedFrame[]) => boolean): Promise<ReceivedFrame[]>;
  /** Answers the envelope frames it is given. */
  answer(frames: readonly ReceivedFrame[], status?: number): void;
  call(verb: string, path: string, body?: unknown): Promise<ReceivedFrame>;
  closed: Promise<number>;
}

/** A device's end of the stream, which does nothing by itself. */
export async function openClient(url: string, token: string, by: 'header' | 'subprotocol' = 'header'): Promise<StreamClient> {
  const socket =
    by === 'header'
      ? new WebSocket(url, { headers: { authorization: `Bearer ${token}` } })
      : new WebSocket(url, ['causeway.v1', `bearer.${token}`]);
  const frames: ReceivedFrame[] = [];
  const waiting = new Set<() => void>();
  let closeCode: number | undefined;
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code) => {
      closeCode = code;
      resolve(code);
      for (const check of waiting) check();
    });
  });
  socket.on('message', (data: Buffer) => {
    frames.push(JSON.parse(data.toString()) as ReceivedFrame);
    for (const check of waiting) check();
  });
  socket.on('error', () => {
    // A close follows.
  });
  await new Promise<void>((resolve) => {
    socket.once('open', resolve);
    socket.once('close', () => resolve());
  });
  let calls = 0;

  function until(holds: (frames: ReceivedFrame[]) => boolean): Promise<ReceivedFrame[]> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (holds(frames)) resolve(frames);
        else if (closeCode !== undefined) reject(new Error(`closed with ${closeCode}`));
        else return;
        waiting.delete(check);
      };
      waiting.add(check);
      check();
    });
  }

  return {
    socket,
    frames,
    until,
    closed,
    answer(received, status = 200) {
      for (const frame of received) socket.send(JSON.stringify({ id: frame.id, t: 'res', status }));
    },
    async call(verb, path, body) {
      const id = `call-${calls++}`;
      socket.send(JSON.stringify({ id, t: 'req', verb, path, body }));
      const found = await until((all) => all.some((frame) => frame.t === 'res' && frame.id === id));
      const answer = found.find((frame) => frame.t === 'res' && frame.id === id);
      if (!answer) throw new Error('the answer is there');
      return answer;
    },
  };
}

export const envelopesOf = (frames: readonly ReceivedFrame[]): ReceivedFrame[] => frames.filter((frame) => frame.path === '/message');
export const isDrained = (frames: readonly ReceivedFrame[]): boolean => frames.some((frame) => frame.path === '/queue/empty');
