import { ActionIcon, Kbd, Loader, TextInput } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { type ClipboardEvent, type FormEvent, useRef, useState } from 'react';
import { ApiError, api, type SearchAnswer } from './api';
import { Icon } from './icons';
import { useMessages } from './messages';

/**
 * Takes anything. What is pasted into the empty box is searched for at once. A number stays in the box only while it is
 * being looked for: it goes into no URL, and no picture of the page that it leads to shows it.
 */
export function SearchBox({ onFound }: { onFound: (answer: SearchAnswer) => void }) {
  const { t } = useMessages();
  const box = useRef<HTMLInputElement>(null);
  const [query, setQuery] = useState('');
  const search = useMutation({
    mutationFn: (text: string) => api.search(text),
    onSuccess(answer) {
      if (answer.items.length > 0) setQuery('');
      else box.current?.select();
      onFound(answer);
    },
  });
  const focus = () => {
    box.current?.focus();
    box.current?.select();
  };
  useHotkeys([['/', focus]]);
  // From within a box too, where a slash is a letter.
  useHotkeys([['mod+K', focus]], []);

  function find(text: string): void {
    if (text.trim() !== '' && !search.isPending) search.mutate(text.trim().slice(0, 200));
  }
  function submit(event: FormEvent): void {
    event.preventDefault();
    find(query);
  }
  function paste(event: ClipboardEvent<HTMLInputElement>): void {
    const { selectionStart, selectionEnd, value } = event.currentTarget;
    const replacesAll = selectionStart === 0 && selectionEnd === value.length;
    if (replacesAll) find(event.clipboardData.getData('text'));
  }

  return (
    <search>
      <form onSubmit={submit}>
        <TextInput
          ref={box}
          size="md"
          type="search"
          name="query"
          autoComplete="off"
          spellCheck={false}
          aria-label={t('search.label')}
          placeholder={t('search.placeholder')}
          maxLength={200}
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          onPaste={paste}
          error={search.error ? <SearchFailure failure={search.error} /> : undefined}
          leftSection={search.isPending ? <Loader size={16} /> : <Icon name="search" />}
          rightSectionWidth={query === '' ? 64 : 44}
          rightSectionPointerEvents={query === '' ? 'none' : 'all'}
          rightSection={
            query === '' ? (
              <Kbd size="xs" aria-hidden="true">
                /
              </Kbd>
            ) : (
              <ActionIcon type="submit" variant="filled" size="md" aria-label={t('search.submit')}>
                <Icon name="search" size={16} />
              </ActionIcon>
            )
          }
        />
      </form>
    </search>
  );
}

function SearchFailure({ failure }: { failure: unknown }) {
  const { t } = useMessages();
  if (!(failure instanceof ApiError) || failure.status === 0) return t('error.offline');
  if (failure.status === 429) return t('error.tooMany', { seconds: failure.retryAfterSeconds });
  return failure.detail;
}
