import type { SmppLink } from '../../partners/index.js';
import type { WireText } from '../../smpp/index.js';

/** How the SMSC of a link writes text of data_coding 0. */
export const wireText = ({ dataCodingDefault, packedSeptets }: Pick<SmppLink, 'dataCodingDefault' | 'packedSeptets'>): WireText => ({
  defaultAlphabet: dataCodingDefault,
  isPacked: packedSeptets,
});
