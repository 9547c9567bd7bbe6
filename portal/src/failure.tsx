import { Alert, Button, Center, Stack, Text } from '@mantine/core';
import { ApiError } from './api';
import { Icon } from './icons';
import { useMessages } from './messages';

/** What went wrong, what to do about it, and the reference to give. */
export function Failure({ failure, retry }: { failure: unknown; retry: () => void }) {
  const { t } = useMessages();
  const known = failure instanceof ApiError ? failure : new ApiError(0, {});
  const isOffline = known.status === 0;
  const hint = isOffline ? t('error.offlineHint') : t('error.otherHint', { code: known.code, correlator: known.correlator ?? '–' });
  return (
    <Alert
      className="note"
      data-tone="bad"
      icon={<Icon name="warning" />}
      title={t(isOffline ? 'error.offline' : 'error.other')}
      role="alert"
    >
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{hint}</Text>
        <Button size="xs" variant="default" onClick={retry}>
          {t('error.retry')}
        </Button>
      </Stack>
    </Alert>
  );
}

export function FullPageError(props: { failure: unknown; retry: () => void }) {
  return (
    <Center component="main" mih="100vh" p="md">
      <Failure {...props} />
    </Center>
  );
}
