import type { ReactNode } from 'react';

/** Drawn on a grid of 24, in the text's colour. They decorate: the words beside them say it. */
const DRAWINGS = {
  search: 'M10.500 17.500a7 7 0 1 1 0-14 7 7 0 0 1 0 14Zm5-2 5 5',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  check: 'm5 12.500 4.500 4.500L19 7',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12Zm9.500 2.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600',
  hide: 'M4 4l16 16M9.500 6c.800-.300 1.600-.500 2.500-.500 6 0 9.500 6.500 9.500 6.500s-1 1.900-2.900 3.600M6 8c-2.300 1.700-3.500 4-3.500 4s3.500 6.500 9.500 6.500c1.300 0 2.500-.300 3.500-.700',
  settings: 'M4 7h9m4 0h3M4 17h3m4 0h9M15 4.500v5M9 14.500v5',
  order: 'M6 4h12v17l-3-2-3 2-3-2-3 2zM9 9h6M9 13h6',
  task: 'M12 3v4M12 17v4M5 12H3m18 0h-2M7 7 5.500 5.500M17 7l1.500-1.500M8.500 12a3.500 3.500 0 1 0 7 0 3.500 3.500 0 0 0-7 0M7 17l-1.500 1.500M17 17l1.500 1.500',
  subscription: 'M7 3h7l4 4v14H7zM10 12h5v5h-5zM12.500 12v5',
  entitlement: 'M4 16a8 8 0 1 1 16 0M12 16l4-5M3 20h18',
  list: 'M8 6h12M8 12h12M8 18h12M4 6h.010M4 12h.010M4 18h.010',
  account: 'M8 2.500h8a1 1 0 0 1 1 1v17a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1v-17a1 1 0 0 1 1-1ZM11 18h2',
  fallback: 'M12 21a8.500 8.500 0 1 0 0-17 8.500 8.500 0 0 0 0 17ZM12 8v5l3 2',
  sms: 'M4 5h16v11H10l-4 4v-4H4zM8 9h8M8 12.500h5',
  reply: 'M10 8V4l-7 6.500L10 17v-4c5 0 8 1.500 11 6 0-7-4-11-11-11Z',
  line: 'M4 9h14l-3.500-3.500M20 15H6l3.500 3.500',
  bell: 'M6 16V11a6 6 0 1 1 12 0v5l1.500 2h-15zM10 21h4',
  warning: 'M12 4 2.500 20h19zM12 10v4.500M12 17.300h.010',
} as const;

export type IconName = keyof typeof DRAWINGS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }): ReactNode {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={DRAWINGS[name]} />
    </svg>
  );
}

/** The mark: a causeway over water. */
export function Mark({ size = 28 }: { size?: number }): ReactNode {
  return <img src="/portal/icon.svg" width={size} height={size} alt="" />;
}
