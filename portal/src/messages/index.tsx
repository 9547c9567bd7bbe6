import { IntlMessageFormat } from 'intl-messageformat';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { de } from './de';
import { en, type MessageKey } from './en';

/** Each language in its own name. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

const CATALOGUES: Record<Language, Readonly<Record<string, string | undefined>>> = { en, de };
const STORED = 'causeway-language';

export type Values = Record<string, string | number>;

export interface Messages {
  language: Language;
  /** The language as the browser's person writes dates in it: `en-GB`. */
  locale: string;
  setLanguage(language: Language): void;
  /** The words of a key, with its values in place. */
  t(key: MessageKey, values?: Values): string;
  /** For keys that the API makes (`event.<type>`, `status.<x>`): the fallback where no catalogue has it. */
  or(key: string, fallback: string): string;
}

const Context = createContext<Messages | undefined>(undefined);

function firstLanguage(): Language {
  let wanted: readonly string[] = navigator.languages;
  try {
    wanted = [localStorage.getItem(STORED) ?? '', ...wanted];
  } catch {
    // Storage may be closed to us: the browser's languages serve.
  }
  for (const tag of wanted) {
    const language = tag.slice(0, 2).toLowerCase();
    if (language in LANGUAGES) return language as Language;
  }
  return 'en';
}

export function MessagesProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const messages = useMemo((): Messages => {
    const formats = new Map<string, IntlMessageFormat>();
    const catalogue = CATALOGUES[language];
    return {
      language,
      locale: navigator.languages.find((tag) => tag.slice(0, 2).toLowerCase() === language) ?? language,
      setLanguage(next) {
        setLanguage(next);
        try {
          localStorage.setItem(STORED, next);
        } catch {
          // It holds until the page is closed, then.
        }
      },
      t(key, values) {
        const words = catalogue[key] ?? en[key];
        if (!words.includes('{')) return words;
        const format = formats.get(key) ?? new IntlMessageFormat(words, language);
        formats.set(key, format);
        return String(format.format(values));
      },
      or: (key, fallback) => catalogue[key] ?? fallback,
    };
  }, [language]);
  return <Context value={messages}>{children}</Context>;
}

export function useMessages(): Messages {
  const messages = useContext(Context);
  if (!messages) throw new Error('useMessages outside of MessagesProvider');
  return messages;
}
