import { ActionIcon, Code, CopyButton, Group, Tooltip } from '@mantine/core';
import { Icon } from './icons';
import { useMessages } from './messages';

/** An id to read and to take along. */
export function CopyableId({ id, what }: { id: string; what: string }) {
  return (
    <Group gap={2} wrap="nowrap" className="copyable">
      <Code className="id">{id}</Code>
      <Copy value={id} what={what} />
    </Group>
  );
}

export function Copy({ value, what }: { value: string; what: string }) {
  const { t } = useMessages();
  return (
    <CopyButton value={value} timeout={1_500}>
      {({ copied, copy }) => {
        const label = copied ? t('copy.copied') : t('copy.copy', { what });
        return (
          <Tooltip label={label} withArrow events={{ hover: true, focus: true, touch: false }}>
            <ActionIcon variant="subtle" color="gray" size="sm" className="copy" aria-label={label} onClick={copy}>
              <Icon name={copied ? 'check' : 'copy'} size={14} />
            </ActionIcon>
          </Tooltip>
        );
      }}
    </CopyButton>
  );
}
