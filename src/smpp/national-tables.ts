/**
 * The national language tables of 3GPP TS 23.038, annex A.2 (single shift) and A.3 (locking shift), by the National Language
 * Identifier that the user data header names (§6.2.1.2.4).
 *
 * Where a printed code point contradicts its own glyph and the order of its row, the glyph holds, as it does on handsets:
 * A.3.7 0x24 (DDA, U+0CA1), A.2.9 0x20 (ORIYA FOUR), A.2.11 0x24 (TAMIL EIGHT), A.2.12 0x1c (TELUGU ZERO).
 */
export const NATIONAL_LANGUAGES = {
  tr: 1, es: 2, pt: 3, bn: 4, gu: 5, hi: 6, kn: 7, ml: 8, or: 9, pa: 10, ta: 11, te: 12, ur: 13,
} as const; // biome-ignore format: one glance, one list

/** ISO 639-1: Turkish, Spanish, Portuguese, Bengali and Assamese, Gujarati, Hindi, Kannada, Malayalam, Oriya, Punjabi, Tamil, Telugu, Urdu. */
export type NationalLanguage = keyof typeof NATIONAL_LANGUAGES;

/** Cells that differ from the table they build on: `04€` is € at 0x04. */
export const LOCKING_LATIN: Readonly<Record<'tr' | 'pt', string>> = {
  // A.3.1, A.3.3; there is none for Spanish (A.3.2 is void).
  tr: '04€ 07ı 0bĞ 0cğ 1cŞ 1dş 40İ 60ç',
  pt: '04ê 06ú 07í 08ó 09ç 0bÔ 0cô 0eÁ 0fá 12ª 13Ç 14À 15∞ 16^ 17\\ 18€ 19Ó 1a| 1cÂ 1dâ 1eÊ 24º 40Í 5bÃ 5cÕ 5dÚ 60~ 7bã 7cõ 7d`',
};

/** Cells beside those of the default extension table. */
export const SINGLE_LATIN: Readonly<Record<'tr' | 'es' | 'pt', string>> = {
  // A.2.1, A.2.2, A.2.3.
  tr: '47Ğ 49İ 53Ş 63ç 67ğ 69ı 73ş',
  es: '09ç 41Á 49Í 4fÓ 55Ú 61á 69í 6fó 75ú',
  pt: '05ê 09ç 0bÔ 0cô 0eÁ 0fá 12Φ 13Γ 15Ω 16Π 17Ψ 18Σ 19Θ 1fÊ 41À 49Í 4fÓ 55Ú 5bÃ 5cÕ 61Â 69í 6fó 75ú 7bã 7cõ 7fâ',
};

/** What the locking tables of A.3.4 to A.3.13 share; `..` is where each has letters of its own. */
export const LOCKING_COMMON =
  '.. .. .. .. .. .. .. .. .. .. LF .. .. CR .. .. ' +
  '.. .. .. .. .. .. .. .. .. .. .. ESC .. .. .. .. ' +
  'SP ! .. .. .. .. .. .. ) ( .. .. , .. . .. ' +
  '0 1 2 3 4 5 6 7 8 9 : ; .. .. .. ? ' +
  '.. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ' +
  '.. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ' +
  '.. a b c d e f g h i j k l m n o ' +
  'p q r s t u v w x y z .. .. .. .. ..';

/** What the single shift tables of A.2.4 to A.2.13 share; `..` is where each may have a character of its own, `--` is empty. */
export const SINGLE_COMMON =
  '@ £ $ ¥ ¿ " ¤ % & \' FF * + -- - / ' +
  '< = > ¡ ^ ¡ _ # * .. .. ESC .. .. .. .. ' +
  '.. .. .. .. .. .. .. .. { } .. .. .. .. .. \\ ' +
  '.. .. .. .. .. .. .. .. .. .. .. .. [ ~ ] .. ' +
  '| A B C D E F G H I J K L M N O ' +
  'P Q R S T U V W X Y Z -- -- -- -- -- ' +
  '-- -- -- -- -- € -- -- -- -- -- -- -- -- -- -- ' +
  '-- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --';

/**
 * The ten scripts descend from one (ISCII) and Unicode keeps each in the same order, so that a locking table is the block's letters
 * from its third octet on, in this order; a letter that a script has not is an empty cell.
 */
export const LETTER_OFFSETS =
  '01 02 03 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f 20 21 22 23 24 25 26 27 28 29 2a 2b ' +
  '2c 2d 2e 2f 30 31 32 33 34 35 36 37 38 39 3c 3d 3e 3f 40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d';

export interface IndicLocking {
  /** Where its Unicode block begins. */
  readonly block: number;
  /** The offsets of letters that it lacks. */
  readonly without: string;
  /** The cells 0x60 and 0x7b to 0x7f. */
  readonly last: string;
}

type IndicLanguage = Exclude<NationalLanguage, 'tr' | 'es' | 'pt' | 'ur'>;

// A.3.4 to A.3.12.
export const LOCKING_INDIC: Readonly<Record<IndicLanguage, IndicLocking>> = {
  bn: { block: 0x0980, without: '0d 0e 11 12 29 31 33 34 35 45 46 49 4a', last: '09ce 09d7 09dc 09dd 09f0 09f1' },
  gu: { block: 0x0a80, without: '0e 12 29 31 34 46 4a', last: '0ad0 0ae0 0ae1 0ae2 0ae3 0af1' },
  hi: { block: 0x0900, without: '', last: '0950 0972 097b 097c 097e 097f' },
  kn: { block: 0x0c80, without: '01 0d 11 29 34 45 49', last: '0cd5 0cd6 0ce0 0ce1 0ce2 0ce3' },
  ml: { block: 0x0d00, without: '01 0d 11 29 3c 45 49', last: '0d57 0d60 0d61 0d62 0d63 0d79' },
  or: { block: 0x0b00, without: '0d 0e 11 12 29 31 34 45 46 49 4a', last: '0b56 0b57 0b60 0b61 0b62 0b63' },
  pa: { block: 0x0a00, without: '0b 0c 0d 0e 11 12 29 31 34 37 3d 43 44 45 46 49 4a', last: '0a51 0a70 0a71 0a72 0a73 0a74' },
  ta: {
    block: 0x0b80,
    without: '01 0b 0c 0d 11 16 17 18 1b 1d 20 21 22 25 26 27 2b 2c 2d 3c 3d 43 44 45 49',
    last: '0bd0 0bd7 0bf0 0bf1 0bf2 0bf9',
  },
  te: { block: 0x0c00, without: '0d 11 29 34 3c 45 49', last: '0c55 0c56 0c60 0c61 0c62 0c63' },
};

/** A.3.13, which is in the order of its own letters: the cells of `LOCKING_COMMON` in code order. */
export const LOCKING_URDU =
  '0627 0622 0628 067b 0680 067e 06a6 062a 06c2 067f 0679 067d 067a 067c ' +
  '062b 062c 0681 0684 0683 0685 0686 0687 062d 062e 062f 068c 0688 0689 068a ' +
  '068f 068d 0630 0631 0691 0693 0699 0632 0696 0698 069a 0633 0634 ' +
  '0635 0636 0637 0638 0639 0641 0642 06a9 06aa 06ab 06af 06b3 06b1 0644 0645 0646 ' +
  '06ba 06bb 06bc 0648 06c4 06d5 06c1 06be 0621 06cc 06d0 06d2 064d 0650 064f 0657 ' +
  '0654 0655 0651 0653 0656 0670';

/** A.2.4 to A.2.13: the cells of `SINGLE_COMMON` in code order, as far as there are any; dandas or none, then the digits. */
export const SINGLE_INDIC: Readonly<Record<IndicLanguage | 'ur', string>> = {
  bn: '09e6 09e7 09e8 09e9 09ea 09eb 09ec 09ed 09ee 09ef 09df 09e0 09e1 09e2 09e3 09f2 09f3 09f4 09f5 09f6 09f7 09f8 09f9 09fa',
  gu: '0964 0965 0ae6 0ae7 0ae8 0ae9 0aea 0aeb 0aec 0aed 0aee 0aef',
  hi:
    '0964 0965 0966 0967 0968 0969 096a 096b 096c 096d 096e 096f 0951 0952 0953 0954 0958 0959 095a ' +
    '095b 095c 095d 095e 095f 0960 0961 0962 0963 0970 0971',
  kn: '0964 0965 0ce6 0ce7 0ce8 0ce9 0cea 0ceb 0cec 0ced 0cee 0cef 0cde 0cf1 0cf2',
  ml: '0964 0965 0d66 0d67 0d68 0d69 0d6a 0d6b 0d6c 0d6d 0d6e 0d6f 0d70 0d71 0d72 0d73 0d74 0d75 0d7a 0d7b 0d7c 0d7d 0d7e 0d7f',
  or: '0964 0965 0b66 0b67 0b68 0b69 0b6a 0b6b 0b6c 0b6d 0b6e 0b6f 0b5c 0b5d 0b5f 0b70 0b71',
  pa: '0964 0965 0a66 0a67 0a68 0a69 0a6a 0a6b 0a6c 0a6d 0a6e 0a6f 0a59 0a5a 0a5b 0a5c 0a5e 0a75',
  ta: '0964 0965 0be6 0be7 0be8 0be9 0bea 0beb 0bec 0bed 0bee 0bef 0bf3 0bf4 0bf5 0bf6 0bf7 0bf8 0bfa',
  te: '.. .. 0c66 0c67 0c68 0c69 0c6a 0c6b 0c6c 0c6d 0c6e 0c6f 0c58 0c59 0c78 0c79 0c7a 0c7b 0c7c 0c7d 0c7e 0c7f',
  ur:
    '0600 0601 06f0 06f1 06f2 06f3 06f4 06f5 06f6 06f7 06f8 06f9 060c 060d 060e 060f 0610 0611 0612 ' +
    '0613 0614 061b 061f 0640 0652 0658 066b 066c 0672 0673 06cd 06d4',
};
