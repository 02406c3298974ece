--- B15, B16 and what an earlier session left: other Neovims, left-overs, what ran when Neovim was left.
return function(test, t)
  local ELSEWHERE = [[return { run = function(params, host)
    if params.another then
      local row = host.row(params.root, params.names[1])
      row.state, row.run = 'running', 1
      host.send({ procs = { row } })
      return { started = { { id = row.id, name = row.name, state = 'started' } } }
    end
    return { started = {}, elsewhere = { { name = 'dev', root = params.root, pid = 4711, since = %d } } }
  end, show = function(params) return { id = 7, name = params.name .. ' @' .. params.pid } end }]]

  local function elsewhere(child, choice)
    local c = child({ width = 100 })
    local since = os.time({ year = 2026, month = 11, day = 23, hour = 10, min = 2 }) * 1000
    c:answers(ELSEWHERE:format(since))
    c:chooses(choice)
    return c
  end

  test('B16: a script that another Neovim runs: its log', function(child)
    local c = elsewhere(child, 1)
    c:cmd('BrummerRun dev -- --port 1')
    t.eq(c:asked(), {
      prompt = 'dev runs in another Neovim (pid 4711, since 10:02)',
      items = { 'show its log', 'run another', 'cancel' },
    })
    t.eq(c:call('show').params, { root = c.project, name = 'dev', pid = 4711 })
    t.eq(c:call('watch').params.name, 'dev @4711')
    t.eq(c:lua('return vim.api.nvim_buf_get_name(0)'), 'brummer://logs/dev @4711')
    t.eq(#c:calls('run'), 1)
  end)

  test('B16: run another, with the same arguments; cancel', function(child)
    local c = elsewhere(child, 2)
    c:cmd('BrummerRun dev -- --port 1')
    t.eq(c:call('run', 2).params, {
      root = c.project,
      names = { 'dev' },
      args = { '--port', '1' },
      another = true,
    })
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs/dev'
    end, 'the log')
    local other = elsewhere(child, 3)
    other:cmd('BrummerRun dev')
    other:asked()
    t.eq(#other:lua('return vim.api.nvim_list_wins()'), 1)
    t.eq(#other:calls('run'), 1)
  end)

  test("B16: run('dev', { another = true }) does not ask", function(child)
    local c = elsewhere(child, 3)
    c:lua("require('brummer').run('dev', { another = true, open = false })")
    t.eq(c:call('run').params.another, true)
    t.eq(c:lua('return _G.asked'), nil)
  end)

  local LEFT = {
    { run = '1-2-3', name = 'dev', root = '/shop', pids = { 11, 12, 13 }, at = 1 },
    { run = '1-2-4', name = 'api', root = '/shop', pids = { 14 }, at = 1 },
    { run = '1-2-5', name = 'db', root = '/shop', pids = { 15 }, at = 1, detached = true },
  }
  local function left(c)
    c:frame({ rev = 1, events = { { kind = 'leftovers', leftovers = LEFT } } })
  end

  test('left-overs are told once when a host starts, and ended when asked to', function(child)
    local c = child({ width = 80 })
    c:answers('return { leftovers = function() return { leftovers = ' .. vim.inspect(LEFT) .. ' } end }')
    left(c)
    c:hears('brummer: 4 left over: dev, api; :Brummer stop --leftovers')
    t.eq(c:calls('end_leftovers'), {})
    c:cmd('Brummer stop --leftovers')
    t.eq(c:call('end_leftovers').params.runs, { '1-2-3', '1-2-4' })
    c:hears('ended what was left over: dev, api')
    t.eq(c:calls('stop'), {})
  end)

  test('left-overs: the notice fits 60 cells and can be turned off; none is said', function(child)
    local c = child({ width = 60, height = 20 })
    left(c)
    c:hears('brummer: 4 left over: :Brummer stop --leftovers')
    t.ok(not c:mode().blocking)
    local quiet = child({ config = { notify = { leftovers = false } } })
    left(quiet)
    quiet:cmd('Brummer stop --leftovers')
    quiet:hears('nothing is left over from an earlier session')
    t.ok(not quiet:said():find('stop --leftovers', 1, true))
  end)

  --- Leaves a Neovim in which `commands` were given, and starts another with the same state.
  local function again(child, option, commands, more)
    local state = vim.fn.tempname()
    local opts = { width = 100, config = { session_restore = option }, env = { XDG_STATE_HOME = state } }
    local c = child(opts)
    for i, command in ipairs(commands) do
      c:cmd(command)
      c:call('run', i)
      local wanted = i
      t.wait(function()
        return #c:lua("return require('brummer').processes()") >= wanted
      end)
    end
    vim.rpcnotify(c.job, 'nvim_input', ':qa<CR>')
    t.wait(function()
      return c.gone
    end, 'the end')
    -- The same project: the next child gets it in the place of its own.
    local next_one = child(vim.tbl_extend('force', opts, { cwd = c.project }, more or {}))
    next_one:lua("require('brummer.session').offer()")
    return next_one, c
  end

  test('session_restore: what ran is offered once and runs again when asked to', function(child)
    local c, before = again(child, true, { 'BrummerRun dev', 'BrummerRun api', 'BrummerRun worker -- -v' })
    c:hears('ran here: dev, api, worker; :Brummer run --restore runs it again')
    t.eq(c:calls('run'), {})
    t.eq(c:lua("return vim.fn.getcompletion('Brummer run --', 'cmdline')"), { '--last', '--restore' })
    c:cmd('Brummer run --restore')
    t.eq(c:call('run').params, { root = before.project, names = { 'dev', 'api' } })
    t.eq(c:call('run', 2).params, { root = before.project, names = { 'worker' }, args = { '-v' } })
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs'
    end, 'the merged log')
  end)

  test('session_restore: logs that are on screen stay as they are', function(child)
    local c = again(child, true, { 'BrummerRun dev', 'BrummerRun api' })
    c:cmd('edit brummer://logs/api')
    c:cmd('split package.json')
    c:cmd('Brummer run --restore')
    c:call('run')
    t.wait(function()
      return #c:lua("return require('brummer').processes()") == 2
    end)
    local function names()
      return c:lua([[return vim.tbl_map(function(win)
        return vim.fn.fnamemodify(vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(win)), ':t')
      end, vim.api.nvim_list_wins())]])
    end
    t.eq(names(), { 'package.json', 'api' })
    t.eq(c:lua("return vim.fn.expand('%:t')"), 'package.json')
    -- With nothing of it on screen the log gets a window of its own.
    c:cmd('only')
    c:cmd('Brummer run --restore')
    t.wait(function()
      return vim.deep_equal(names(), { 'package.json', 'logs' })
    end, 'the merged log')
  end)

  test("session_restore = 'auto' starts it, opens nothing", function(child)
    local c = again(child, 'auto', { 'BrummerRun dev', 'BrummerRun !make "a b"' })
    t.eq(c:call('run').params.names, { 'dev' })
    t.eq(c:call('run', 2).params.command, 'make "a b"')
    t.eq(#c:lua('return vim.api.nvim_list_wins()'), 1)
    t.eq(c:said(), '')
  end)

  test('session_restore is off by default; nothing is kept', function(child)
    local c = again(child, nil, { 'BrummerRun dev' })
    c:cmd('Brummer run --restore')
    c:hears('nothing is kept here; see :help brummer-session_restore')
    t.eq(c:calls('run'), {})
  end)

  test('what was stopped is not offered, nor is anything for a commit message', function(child)
    local c = child({ width = 100, config = { session_restore = true } })
    c:cmd('BrummerRun dev')
    c:call('run')
    c:cmd('Brummer stop dev')
    t.wait(function()
      return c:lua("return (require('brummer').status('dev') or {}).state") == 'stopped'
    end)
    c:lua("require('brummer.session').save()")
    c:cmd('Brummer run --restore')
    c:hears('nothing ran here when Neovim was left')
    c:cmd('Brummer restart dev')
    c:call('restart')
    t.wait(function()
      return c:lua("return require('brummer').status('dev').state") == 'running'
    end)
    c:lua("require('brummer.session').save()")
    c:cmd('enew | setf gitcommit')
    c:lua("require('brummer.session').offer()")
    c:cmd('Brummer run --restore')
    t.eq(c:call('run', 2).params.names, { 'dev' })
    t.ok(not c:said():find('ran here:', 1, true), c:said())
  end)

  local function started_with(child, row, events)
    local c = child({ width = 120 })
    c:frame({ rev = 1, procs = { c:row({ ready = 'waiting' }) } })
    c:frame({ rev = 2, procs = { c:row(row) }, events = events })
    return c
  end

  test('notices: not ready, gave up, a dependency that failed, a restart that is to come', function(child)
    started_with(child, { ready = 'failed', not_ready = 'not ready after 60 s: port 5432' })
      :hears('brummer: dev is not ready after 60 s: port 5432')
    for reason in
      vim.gsplit('gave up after 5 restarts: exit 1|db exited with 1 before it was ready', '|')
    do
      started_with(child, { state = 'failed', reason = reason }, {
        { kind = 'exited', id = 1, run = 1, at = 2, state = 'failed', reason = reason, took = 1 },
      }):hears('brummer: dev failed (' .. reason .. ')')
    end
    started_with(child, { state = 'pending', waiting = 'restarts in 4 s (2 of 5)' }, {
      { kind = 'exited', id = 1, run = 1, at = 2, state = 'failed', exit_code = 1, took = 1 },
    }):hears('brummer: dev failed (exit 1), restarts in 4 s (2 of 5)')
  end)

  test('the event ready comes once', function(child)
    local c = child()
    c:lua([[
      _G.got = {}
      require('brummer').on('ready', function(data) table.insert(_G.got, data.name) end)
    ]])
    for rev, ready in ipairs({ 'waiting', 'waiting', 'ready', 'ready' }) do
      c:frame({ rev = rev, procs = { c:row({ ready = ready, lines = rev }) } })
    end
    t.wait(function()
      return #c:lua('return _G.got') > 0
    end)
    t.eq(c:lua('return _G.got'), { 'dev' })
  end)

  test('status() has all fields of a row', function(child)
    local c = child()
    local row = c:row({
      waiting = 'w',
      ready = 'ready',
      left = { { pid = 1, name = 'x' } },
      cpu = 5,
      memory = 9,
      ports = { 80 },
      package = 'web',
    })
    c:frame({ rev = 1, procs = { row } })
    t.eq(c:lua("return require('brummer').status('dev')"), row)
  end)

  test('confirm_quit names what ends and what goes on', function(child)
    local c = child({ config = { confirm_quit = true }, width = 100 })
    c:open_log()
    c:frame({ procs = { c:row(), c:row({ id = 2, name = 'det', detach = true }) } })
    -- It names the buffer that is in the way, which goes at once.
    c:lua([[
      local set = vim.api.nvim_buf_set_name
      vim.api.nvim_buf_set_name = function(buf, name)
        _G.named = name
        return set(buf, name)
      end
    ]])
    t.ok(not pcall(c.cmd, c, 'qa'), 'refused')
    t.eq(c:lua('return _G.named'), '[brummer: 1 running, Yes and No both stop it, 1 detached goes on]')
  end)

  test('confirm_quit asks nothing where all that runs is detached', function(child)
    local c = child({ config = { confirm_quit = true } })
    c:open_log()
    c:frame({ procs = { c:row({ detach = true }) } })
    vim.rpcnotify(c.job, 'nvim_input', ':qall<CR>')
    t.wait(function()
      return c.gone
    end, 'the end')
  end)
end
