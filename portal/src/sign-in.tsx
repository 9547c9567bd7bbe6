import { Alert, Box, Button, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError, api } from './api';
import { Mark } from './icons';
import { useMessages } from './messages';
import { isSandbox } from './page-meta';

export function SignIn() {
  const { t } = useMessages();
  const queries = useQueryClient();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const signIn = useMutation({
    mutationFn: () => api.signIn(email, password),
    onSuccess: () => queries.resetQueries(),
    onError: () => setPassword(''),
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    signIn.mutate();
  }

  return (
    <Box component="main" className="door">
      <Paper withBorder shadow="sm" p={{ base: 'lg', xs: 'xl' }} className="door-card">
        <Stack gap="lg">
          <Group gap="sm">
            <Mark size={36} />
            <Text fw={700} size="lg">
              Causeway
            </Text>
          </Group>
          <div>
            <Title order={1} size="h2">
              {t('signIn.title')}
            </Title>
            <Text c="dimmed" mt={4}>
              {t('signIn.lead')}
            </Text>
          </div>
          <form onSubmit={submit}>
            <Stack gap="md">
              <TextInput
                label={t('signIn.email')}
                name="email"
                type="email"
                autoComplete="username"
                required
                withAsterisk={false}
                data-autofocus
                autoFocus
                value={email}
                onChange={(event) => setEmail(event.currentTarget.value)}
              />
              <PasswordInput
                label={t('signIn.password')}
                name="password"
                autoComplete="current-password"
                required
                withAsterisk={false}
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
              />
              <div aria-live="polite">
                {signIn.error && (
                  <Alert className="note" data-tone="bad">
                    <Refusal failure={signIn.error} />
                  </Alert>
                )}
              </div>
              <Button type="submit" size="md" loading={signIn.isPending} fullWidth>
                {t('signIn.submit')}
              </Button>
            </Stack>
          </form>
          {isSandbox && (
            <Text size="sm" c="dimmed">
              {t('signIn.sandbox')}
            </Text>
          )}
        </Stack>
      </Paper>
    </Box>
  );
}

function Refusal({ failure }: { failure: unknown }) {
  const { t } = useMessages();
  if (!(failure instanceof ApiError) || failure.status === 0) return t('error.offline');
  if (failure.status === 401) return t('signIn.wrong');
  if (failure.status === 429) return t('signIn.later', { minutes: Math.ceil(failure.retryAfterSeconds / 60) });
  return failure.detail;
}
