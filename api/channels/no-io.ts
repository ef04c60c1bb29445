import type { ChannelIo } from '../../channels/channel.ts';

/** For what a connector does without anybody outside: reading a push, naming its stream. */
export const NO_IO: ChannelIo = {
  call: () => Promise.reject(new Error('a push is read without calls')), token: () => Promise.reject(new Error('a push is read without tokens')),
  throttled: () => { throw new Error('a push is read without calls'); }, now: () => Date.now(), uuid: () => '',
};
