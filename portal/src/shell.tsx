import { ActionIcon, Anchor, Badge, Box, Button, type MantineColorScheme, Popover, Text, useMantineColorScheme } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type MouseEvent, useState } from 'react';
import { api, type Me, type SearchAnswer } from './api';
import { Home } from './home';
import { Icon, Mark } from './icons';
import { LinePage } from './line-page';
import { LANGUAGES, type Language, useMessages } from './messages';
import { goTo, hrefOf, usePlace } from './route';
import { SearchBox } from './search-box';

/** What the last search brought, beside the line that it led to. */
export type LastSearch = SearchAnswer | undefined;

export function Shell({ me }: { me: Me }) {
  const { t } = useMessages();
  const place = usePlace();
  const [found, setFound] = useState<LastSearch>();

  function land(answer: SearchAnswer): void {
    setFound(answer);
    const [first] = answer.items;
    goTo(first ? { page: 'line', id: first.id } : { page: 'home' });
  }
  function home(event: MouseEvent): void {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    setFound(undefined);
    goTo({ page: 'home' });
  }

  return (
    <>
      <a href="#content" className="skip">
        {t('shell.skip')}
      </a>
      <Box component="header" className="top">
        <div className="top-inner">
          <Anchor
            href={hrefOf({ page: 'home' })}
            onClick={home}
            underline="never"
            c="inherit"
            aria-label={t('shell.home')}
            className="brand"
          >
            <Mark />
            <Text span fw={700} size="lg" visibleFrom="xs">
              Causeway
            </Text>
          </Anchor>
          {me.environment === 'sandbox' && (
            <Badge variant="outline" color="gray" className="sandbox" tt="none" fw={600}>
              {t('shell.sandbox')}
            </Badge>
          )}
          <div className="top-search">
            <SearchBox onFound={land} />
          </div>
          <Settings me={me} />
        </div>
      </Box>
      <Box component="main" id="content" className="content" tabIndex={-1}>
        {place.page === 'line' ? <LinePage key={place.id} id={place.id} found={found} /> : <Home found={found} />}
      </Box>
    </>
  );
}

function Settings({ me }: { me: Me }) {
  const { t, language, setLanguage } = useMessages();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const queries = useQueryClient();
  const signOut = useMutation({
    mutationFn: api.signOut,
    onSettled() {
      history.replaceState(null, '', '/portal');
      queries.clear();
      location.reload();
    },
  });
  const schemes = { light: t('shell.light'), dark: t('shell.dark'), auto: t('shell.system') } as const;
  return (
    <Popover position="bottom-end" width={260} shadow="md" withinPortal={false} trapFocus returnFocus>
      <Popover.Target>
        <ActionIcon variant="default" size={42} aria-label={t('shell.settings')}>
          <Icon name="settings" size={20} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('shell.settings')}>
        <Text size="sm" fw={600} truncate>
          {me.email}
        </Text>
        <Text size="xs" c="dimmed" mb="sm">
          {t(`role.${me.role}`)}
        </Text>
        <Choices
          name={t('shell.appearance')}
          of={schemes}
          chosen={colorScheme}
          choose={(scheme) => setColorScheme(scheme as MantineColorScheme)}
        />
        <Choices name={t('shell.language')} of={LANGUAGES} chosen={language} choose={(tag) => setLanguage(tag as Language)} />
        <Button variant="default" fullWidth mt="md" loading={signOut.isPending} onClick={() => signOut.mutate()}>
          {t('shell.signOut')}
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}

function Choices(props: { name: string; of: Readonly<Record<string, string>>; chosen: string; choose: (value: string) => void }) {
  return (
    <fieldset className="choices">
      <legend>{props.name}</legend>
      {Object.entries(props.of).map(([value, label]) => (
        <label key={value}>
          <input type="radio" name={props.name} value={value} checked={props.chosen === value} onChange={() => props.choose(value)} />
          {label}
        </label>
      ))}
    </fieldset>
  );
}
