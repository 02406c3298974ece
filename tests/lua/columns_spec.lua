--- The list of processes on screen: which columns there are at each size, and what stands beneath a row.
return function(test, t)
  local MB = 1024 * 1024

  --- A project with all kinds of rows.
  local function rows(c)
    local now = os.time() * 1000
    return {
      c:row({
        name = 'web/dev',
        package = 'web',
        started_at = now - 720000,
        errors = 2,
        cpu = 31,
        memory = 210 * MB,
        ports = { 5173 },
        ready = 'ready',
        script = 'vite --host',
      }),
      c:row({
        id = 2,
        name = 'server/api',
        package = 'server',
        started_at = now - 720000,
        cpu = 1254,
        memory = 88 * MB,
        ports = { 3000, 3001, 3002 },
        ready = 'failed',
        not_ready = 'not ready after 60 s: port 5432',
        script = 'tsx watch src/main.ts',
      }),
      c:row({
        id = 3,
        name = 'server/worker',
        package = 'server',
        state = 'pending',
        waiting = 'waiting for api (ready: port 3000)',
        script = 'node w.js',
      }),
      c:row({
        id = 4,
        name = 'web/test:e2e',
        package = 'web',
        state = 'failed',
        exit_code = 1,
        started_at = now - 221000,
        ended_at = now - 180000,
        errors = 1,
        script = 'playwright test',
        left = { { pid = 4711, name = 'node' }, { pid = 4712, name = 'sccache', exempt = true } },
      }),
      c:row({
        id = 5,
        name = 'web/build',
        package = 'web',
        state = 'success',
        exit_code = 0,
        started_at = now - 552000,
        ended_at = now - 540000,
        script = 'vite build',
      }),
    }
  end

  local function opened(child, opts, double)
    local c = child(opts)
    if double then
      c:cmd('set ambiwidth=double')
    end
    c:frame({ rev = 1, procs = rows(c) })
    c:cmd('Brummer')
    c:cmd('only')
    return c
  end

  --- The rows on screen down to the first that is empty.
  local function shown(c)
    local out = {}
    for line in vim.gsplit(c:screen(), '\n') do
      if vim.startswith(line, '~') then
        break
      end
      out[#out + 1] = line
    end
    return out
  end

  test('80x24', function(child)
    t.eq(shown(opened(child)), {
      ' brummer  shop · 2 running · 1 waiting · 1 failed                       g? help',
      ' ▾ Processes',
      '   ● dev       web     :5173           ready 12m    cpu 3%    210 MB  2 errors',
      '   ● api       server  :3000 :3001 +1  not ready    cpu 125%   88 MB',
      '       not ready after 60 s: port 5432',
      '   … worker    server  waiting for api (ready: port 3000)',
      '   ✗ test:e2e  web     exit 1 · 3m ago · 41 s                         1 error',
      '       left running: node (4711)',
      '       left running: sccache (4712), may stay',
      '   ✓ build     web     ok · 9m ago · 12 s',
    })
  end)

  test('120x40', function(child)
    local lines = shown(opened(child, { width = 120, height = 40 }))
    t.eq(
      { lines[3], lines[4], lines[6], lines[7] },
      {
        '   ● dev       web     :5173           ready 12m    cpu 3%    210 MB  2 errors  vite --host',
        '   ● api       server  :3000 :3001 +1  not ready    cpu 125%   88 MB            tsx watch src/main.ts',
        '   … worker    server  waiting for api (ready: port 3000)                       node w.js',
        '   ✗ test:e2e  web     exit 1 · 3m ago · 41 s                         1 error   playwright test',
      }
    )
  end)

  test('60x20', function(child)
    t.eq(shown(opened(child, { width = 60, height = 20 })), {
      ' brummer  shop · 2 running · 1 waiting · 1 failed   g? help',
      ' ▾ Processes',
      '   ● dev       web     :5173     ready 12m    2 errors',
      '   ● api       server  :3000 +2  not ready',
      '       not ready after 60 s: port 5432',
      '   … worker    server  waiting for api (ready: port 3000)',
      '   ✗ test:e2e  web     exit 1 · 3m ago        1 error',
      '       left running: node (4711)',
      '       left running: sccache (4712), may stay',
      '   ✓ build     web     ok · 9m ago · 12 s',
    })
  end)

  test('narrow: the package leaves, its name goes to the script; then the uptime', function(child)
    local c = opened(child, { width = 46, height = 20 })
    local lines = shown(c)
    t.eq(lines[3], '   ● web/dev     :5173     ready      2 errors')
    t.eq(lines[7], '   ✗ web/test:…  exit 1 · 3m ago      1 error')
    for _, line in ipairs(lines) do
      t.ok(vim.fn.strdisplaywidth(line) <= 46, line)
    end
  end)

  test("'ambiwidth' double", function(child)
    local c = opened(child, {}, true)
    local line = c:lines()[3]
    -- ● and · take two cells there, ✗ takes one.
    t.eq(line, '   ● dev       web     :5173           ready 12m    cpu 3%    210 MB  2 errors')
    t.eq(c:lines()[7], '   ✗  test:e2e  web     exit 1 · 3m ago · 41 s                       1 error')
    for _, it in ipairs(c:lines()) do
      t.ok(c:lua('return vim.fn.strdisplaywidth(...)', it) <= 80, it)
    end
  end)

  test('ascii icons: no other character', function(child)
    local c = opened(child, { config = { icons = 'ascii' }, width = 46 })
    local lines = c:lines()
    t.has(lines[2], ' v Processes')
    t.has(lines[3], '   * web/dev')
    t.has(lines[7], '   x web/tes...  exit 1 - 3m ago')
    t.ok(not table.concat(lines):find('[\128-\255]'), table.concat(lines, '\n'))
  end)

  test('a restart that is to come and a give-up are said in full', function(child)
    local c = child()
    c:frame({
      rev = 1,
      procs = {
        c:row({ state = 'pending', waiting = 'restarts in 4 s (2 of 5)', run = 2 }),
        c:row({ id = 2, name = 'db', state = 'failed', reason = 'gave up after 5 restarts: exit 1' }),
        c:row({
          id = 3,
          name = 'web',
          state = 'pending',
          waiting = 'waiting for the old web to end (3 s)',
        }),
      },
    })
    c:cmd('Brummer')
    t.has(c:lines()[3], '… dev   restarts in 4 s (2 of 5)')
    t.has(c:lines()[4], '✗ db    gave up after 5 restarts: exit 1')
    t.has(c:lines()[5], '… web   waiting for the old web to end (3 s)')
  end)

  test('more than four left behind are counted', function(child)
    local c = child()
    local left = {}
    for i = 1, 9 do
      left[i] = { pid = 100 + i, name = 'node' }
    end
    c:frame({ rev = 1, procs = { c:row({ state = 'success', exit_code = 0, left = left }) } })
    c:cmd('Brummer')
    t.eq(#c:lines(), 7)
    t.has(c:lines()[7], 'left running: 6 more')
  end)

  test('what comes and goes beneath a row moves neither cursor nor marks', function(child)
    local c = child()
    c:frame({
      rev = 1,
      procs = { c:row(), c:row({ id = 2, name = 'api' }), c:row({ id = 3, name = 'build' }) },
    })
    c:cmd('Brummer')
    c:type('5Gmaw')
    local row, col = unpack(c:lua('return vim.api.nvim_win_get_cursor(0)'))
    t.eq(row, 5)
    local left = { { pid = 4711, name = 'node' } }
    c:frame({ rev = 2, procs = { c:row({ state = 'success', exit_code = 0, left = left }) } })
    t.has(c:lines()[4], 'left running: node (4711)')
    t.has(c:lines()[6], 'build')
    t.eq(c:lua('return vim.api.nvim_win_get_cursor(0)'), { 6, col })
    t.eq(c:lua([[return vim.fn.line("'a")]]), 6)
    c:frame({ rev = 3, procs = { c:row({ state = 'stopped' }) } })
    t.eq(c:lua('return vim.api.nvim_win_get_cursor(0)'), { 5, col })
    t.eq(#c:lines(), 5)
    t.has(c:lines()[5], 'build')
  end)

  test('keys beneath a row mean its process', function(child)
    local c = opened(child)
    c:answers([[return { stop = function() return {} end }]])
    c:type('8G')
    t.has(c:lua('return vim.api.nvim_get_current_line()'), 'left running: node')
    c:type('s')
    t.eq(c:call('stop').params.id, 4)
    t.ok(not c:said():find('is not running', 1, true), c:said())
  end)

  test('the winbar of a log says what a run waits for, and whether it is ready', function(child)
    local c = child()
    c:open_log()
    local function says(row, want)
      c:frame({ rev = 2, procs = { c:row(row) } })
      t.wait(function()
        return c:screen():find(want, 1, true)
      end, want)
    end
    says({ state = 'pending', waiting = 'waiting for db' }, 'dev · waiting for db')
    says({ ready = 'waiting' }, 'dev · not ready')
    says({ ready = 'failed', not_ready = 'not ready after 60 s: port 1' }, 'not ready after 60 s: port 1')
    says({ ready = 'ready' }, 'dev · ready')
  end)
end
