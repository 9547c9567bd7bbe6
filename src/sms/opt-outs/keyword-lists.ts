/** What a subscriber asks for with one word. */
export type Keyword = 'stop' | 'start' | 'help';

export type KeywordLists = Readonly<Record<Keyword, string>>;

/**
 * Known everywhere, whatever the language. Words that people also write in a chat (yes, no, end) are in no list: an answer
 * that is one of them belongs to the conversation.
 */
export const UNIVERSAL: KeywordLists = {
  stop: 'STOP STOPALL STOP_ALL UNSUBSCRIBE OPTOUT OPT_OUT',
  start: 'START UNSTOP SUBSCRIBE OPTIN OPT_IN',
  help: 'HELP INFO',
};

/** By language (BCP 47); `_` stands for a space, and accents may be left out by whoever writes them. */
export const BY_LANGUAGE: Readonly<Record<string, KeywordLists>> = {
  ar: { stop: 'توقف إيقاف الغاء إلغاء', start: 'ابدأ ابدا اشتراك', help: 'مساعدة' },
  bg: { stop: 'СТОП ОТПИШИ', start: 'СТАРТ АБОНИРАЙ', help: 'ПОМОЩ' },
  bn: { stop: 'বন্ধ', start: 'চালু শুরু', help: 'সাহায্য' },
  ca: { stop: 'ATURA BAIXA', start: 'ALTA INICIA', help: 'AJUDA' },
  cs: { stop: 'ODHLÁSIT ZRUŠIT', start: 'PŘIHLÁSIT', help: 'POMOC' },
  da: { stop: 'AFMELD', start: 'TILMELD', help: 'HJÆLP' },
  de: { stop: 'STOPP ABMELDEN ABBESTELLEN ABMELDUNG', start: 'ANMELDEN STARTEN', help: 'HILFE' },
  el: { stop: 'ΔΙΑΚΟΠΗ ΤΕΛΟΣ ΣΤΟΠ', start: 'ΕΝΑΡΞΗ', help: 'ΒΟΗΘΕΙΑ' },
  es: { stop: 'BAJA PARAR DETENER', start: 'ALTA INICIAR', help: 'AYUDA' },
  et: { stop: 'LÕPETA', start: 'ALUSTA', help: 'ABI' },
  fa: { stop: 'توقف لغو', start: 'شروع', help: 'راهنما کمک' },
  fi: { stop: 'LOPETA PERUUTA', start: 'ALOITA', help: 'APUA OHJE' },
  fil: { stop: 'TIGIL ITIGIL', start: 'SIMULA', help: 'TULONG' },
  fr: { stop: 'ARRÊT ARRÊTER DÉSABONNER DÉSABONNEMENT', start: 'REPRENDRE ABONNER', help: 'AIDE' },
  he: { stop: 'הסר עצור הסרה', start: 'התחל', help: 'עזרה' },
  hi: { stop: 'रोकें बंद', start: 'शुरू चालू', help: 'मदद सहायता' },
  hr: { stop: 'ODJAVA', start: 'PRIJAVA', help: 'POMOĆ' },
  hu: { stop: 'LEÁLLÍT LEIRATKOZÁS LEMOND', start: 'INDÍT', help: 'SÚGÓ SEGÍTSÉG' },
  id: { stop: 'BERHENTI', start: 'MULAI', help: 'BANTUAN' },
  it: { stop: 'ANNULLA DISATTIVA CANCELLAMI', start: 'ATTIVA INIZIA', help: 'AIUTO' },
  ja: { stop: '停止 配信停止 解除 ストップ', start: '開始 再開', help: 'ヘルプ' },
  ko: { stop: '중지 수신거부 정지', start: '시작', help: '도움말' },
  lt: { stop: 'ATSISAKYTI', start: 'PRADĖTI', help: 'PAGALBA' },
  lv: { stop: 'APTURĒT ATTEIKTIES', start: 'SĀKT', help: 'PALĪDZĪBA' },
  ms: { stop: 'HENTI BERHENTI', start: 'MULA', help: 'BANTUAN' },
  nb: { stop: 'STOPP AVMELD AVSLUTT', start: 'PÅMELD', help: 'HJELP' },
  nl: { stop: 'STOPPEN AFMELDEN', start: 'AANMELDEN', help: 'HULP' },
  pl: { stop: 'REZYGNUJ WYPISZ', start: 'WZNÓW ZAPISZ', help: 'POMOC' },
  pt: { stop: 'PARAR SAIR', start: 'INICIAR VOLTAR', help: 'AJUDA' },
  ro: { stop: 'DEZABONARE OPREȘTE', start: 'ABONARE', help: 'AJUTOR' },
  ru: { stop: 'СТОП ОТПИСАТЬСЯ ОТКАЗ', start: 'СТАРТ ПОДПИСАТЬСЯ', help: 'ПОМОЩЬ' },
  sk: { stop: 'ODHLÁSIŤ ZRUŠIŤ', start: 'PRIHLÁSIŤ', help: 'POMOC' },
  sl: { stop: 'ODJAVA', start: 'PRIJAVA', help: 'POMOČ' },
  sr: { stop: 'СТОП ОДЈАВА ODJAVA', start: 'СТАРТ ПРИЈАВА PRIJAVA', help: 'ПОМОЋ POMOĆ' },
  sv: { stop: 'STOPP AVSLUTA AVREGISTRERA', start: 'STARTA', help: 'HJÄLP' },
  sw: { stop: 'SIMAMA ACHA SITISHA', start: 'ANZA', help: 'MSAADA' },
  ta: { stop: 'நிறுத்து', start: 'தொடங்கு', help: 'உதவி' },
  te: { stop: 'ఆపు', start: 'ప్రారంభించు', help: 'సహాయం' },
  th: { stop: 'หยุด ยกเลิก', start: 'เริ่ม', help: 'ช่วยเหลือ' },
  tr: { stop: 'DURDUR İPTAL RET', start: 'BAŞLAT', help: 'YARDIM' },
  uk: { stop: 'СТОП ВІДПИСАТИСЯ ВІДМОВА', start: 'СТАРТ ПІДПИСАТИСЯ', help: 'ДОПОМОГА' },
  ur: { stop: 'بند روکیں', start: 'شروع', help: 'مدد' },
  vi: { stop: 'DỪNG HỦY TC', start: 'BẮT_ĐẦU', help: 'TRỢ_GIÚP' },
  zh: { stop: '停止 退订 退訂 取消 TD', start: '开始 開始 订阅 訂閱', help: '帮助 幫助' },
};

/** What a country's carriers demand beside its languages' words. */
export const BY_COUNTRY: Readonly<Record<string, KeywordLists>> = {
  // CTIA Messaging Principles and Best Practices §5.1.3, and 47 CFR 64.1200(a)(10).
  US: { stop: 'CANCEL END QUIT REVOKE', start: '', help: '' },
  CA: { stop: 'CANCEL END QUIT REVOKE', start: '', help: '' },
  PR: { stop: 'CANCEL END QUIT REVOKE', start: '', help: '' },
  // The French operators' STOP SMS charter: the confirmation is not charged to the subscriber.
  FR: { stop: 'STOP_SMS', start: '', help: '' },
};

/** Languages of a country beside its likeliest one (CLDR likely subtags) and English, which everybody may use. */
export const MORE_LANGUAGES: Readonly<Record<string, string>> = {
  AD: 'es fr', AE: 'hi ur fil', AT: 'hr sr tr', BA: 'hr', BE: 'fr de', BH: 'ur hi', BN: 'zh', BY: 'ru', CA: 'fr', CH: 'fr it',
  CY: 'tr', DJ: 'fr', DZ: 'fr', EE: 'ru', ES: 'ca', FI: 'sv', GE: 'ru', HK: 'zh', IL: 'ar ru', IN: 'bn ta te ur', KE: 'sw',
  KG: 'ru', KW: 'ur hi', KZ: 'ru', LB: 'fr', LK: 'ta', LU: 'fr de pt', LV: 'ru', MA: 'fr', MD: 'ru', ME: 'hr', MK: 'bg',
  MT: 'it', MU: 'fr', MY: 'zh ta', NP: 'hi', OM: 'ur hi', PH: 'fil', PK: 'ur', PR: 'es', QA: 'ur hi', RW: 'fr sw', SA: 'ur',
  SG: 'zh ms ta', TN: 'fr', TZ: 'sw', UA: 'ru', UG: 'sw', US: 'es', UZ: 'ru',
}; // biome-ignore format: one glance, one table
