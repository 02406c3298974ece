--- `K`: all that is known of a process.
return function(test, t)
  local DESCRIBED = [[return { describe = function(params) return {
    kind = 'pnpm', argv = { '/usr/bin/pnpm', 'run', 'dev', 'a b' },
    file = '%s/packages/web/package.json', line = 7,
    options = {
      { key = 'after', value = 'db (ready), migrate (exited-ok)' },
      { key = 'ready', value = 'port 5173, within 60 s' },
      { key = 'restart', value = 'on-failure, after 1 s to 30 s, at most 5 times' },
    },
    env = { { name = 'PORT', source = '.env:3' }, { name = 'DEBUG', source = '.brum.toml:5' } },
    processes = {
      { pid = 4711, name = 'pnpm', command = 'pnpm run dev' },
      { pid = 4712, name = 'node', command = 'node vite --host', depth = 1 },
    },
  } end }]]

  local function opened(child, opts, row)
    local c = child(opts)
    c:answers(DESCRIBED:format(c.project))
    c:lua([[require('brummer.host').call('config', { dir = '/' })]])
    c:call('config')
    local full = c:row(vim.tbl_extend('force', {
      name = 'web/dev',
      package = 'web',
      cwd = c.project .. '/packages/web',
      pid = 4711,
      ready = 'ready',
      errors = 2,
      lines = 1234,
      cpu = 31,
      memory = 210 * 1024 * 1024,
      ports = { 5173, 5174 },
      started_at = os.time() * 1000 - 720000,
      run = 3,
      left = { { pid = 99, name = 'sccache', exempt = true } },
    }, row or {}))
    c:frame({ rev = 1, procs = { full } })
    c:cmd('Brummer')
    c:type('K')
    local lines = t.wait(function()
      return c:lua("return vim.api.nvim_win_get_config(0).relative ~= ''") and c:lines()
    end, 'the details')
    return c, lines
  end

  test('command, place, usage, options, environment, processes', function(child)
    local c, lines = opened(child, { width = 100, height = 40 })
    t.eq(c:call('describe').params, { id = 1 })
    local text = table.concat(lines, '\n')
    for _, want in ipairs({
      ' ● web/dev · pnpm · ready · 12m · run 3 · 2 errors · 1,234 lines',
      " command      /usr/bin/pnpm run dev 'a b'",
      ' script       vite',
      ' directory    ',
      ' defined in   packages/web/package.json:7',
      ' uses         pid 4711 · cpu 3.1% · 210 MB',
      ' ports        5173, 5174',
      ' started      ',
      ' after        db (ready), migrate (exited-ok)',
      ' ready        port 5173, within 60 s',
      ' restart      on-failure, after 1 s to 30 s, at most 5 times',
      ' environment  PORT from .env:3',
      '              DEBUG from .brum.toml:5',
      ' processes    4711 pnpm run dev',
      '                4712 node vite --host',
      ' left running sccache (99), may stay',
    }) do
      t.has(text, want)
    end
  end)

  test('it fits 60x20; q closes it', function(child)
    local c, lines = opened(child, { width = 60, height = 20 })
    for _, line in ipairs(lines) do
      t.ok(vim.fn.strdisplaywidth(line) <= 56, line)
    end
    c:type('q')
    t.eq(c:lua('return vim.bo.filetype'), 'brummer-dashboard')
  end)

  test('of a run that waits, and in the log of one', function(child)
    local _, lines = opened(child, {}, { state = 'pending', waiting = 'waiting for db (ready: port 5432)' })
    t.has(lines[1], '… web/dev · pnpm · waiting for db (ready: port 5432) · run 3')
    local c = child()
    c:open_log()
    c:type('K')
    t.eq(c:call('describe').params.id, 1)
  end)

  test('what another Neovim runs is shown, not stopped', function(child)
    local c = child({ width = 100 })
    c:frame({ rev = 1, procs = { c:row({ elsewhere = 4711 }) } })
    c:cmd('Brummer')
    t.has(c:lines()[4], 'in another Neovim (pid 4711)')
    c:type('s')
    c:hears('dev runs in another Neovim (pid 4711); stop it there')
    t.eq(c:lua("return require('brummer').statusline()"), '')
  end)
end
