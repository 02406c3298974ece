--- The list of processes, the statusline, notices.
return function(test, t)
  local function opened(child, opts)
    local c = child(opts)
    c:frame({
      rev = 1,
      procs = {
        c:row({ pid = 4711, errors = 2 }),
        c:row({ id = 2, name = 'api', state = 'failed', exit_code = 1, run = 1 }),
        c:row({ id = 3, name = 'build', state = 'success', exit_code = 0, run = 1 }),
      },
    })
    c:cmd('Brummer')
    return c
  end

  test('one row for each process, laid out for 80 cells', function(child)
    local c = opened(child)
    local lines = c:lines()
    t.has(lines[1], 'brummer  shop · 1 running · 1 failed')
    t.has(lines[2], 'Processes')
    t.eq(#lines, 5)
    for _, want in ipairs({ '● dev', 'up', '2 errors', 'vite' }) do
      t.has(lines[3], want)
    end
    t.has(lines[4], '✗ api')
    t.has(lines[4], 'exit 1')
    t.has(lines[5], '✓ build')
    for _, line in ipairs(lines) do
      t.ok(vim.fn.strdisplaywidth(line) <= 80, line)
    end
    t.eq(c:lua('return vim.bo.filetype'), 'brummer-dashboard')
  end)

  test('an update touches the row that changed and leaves the cursor', function(child)
    local c = opened(child)
    c:type('jjjw')
    local before = c:lua('return vim.api.nvim_win_get_cursor(0)')
    c:lua([[
      _G.changed = {}
      vim.api.nvim_buf_attach(0, false, { on_lines = function(_, _, _, first, last)
        table.insert(_G.changed, { first, last })
      end })
    ]])
    c:frame({ rev = 2, procs = { c:row({ id = 3, name = 'build', state = 'running', run = 2 }) } })
    t.has(c:lines()[5], '● build')
    for _, change in ipairs(c:lua('return _G.changed')) do
      t.ok(change[1] == 4 or change[1] == 0, vim.inspect(change))
    end
    t.eq(c:lua('return vim.api.nvim_win_get_cursor(0)'), before)
  end)

  test('list and logs take turns in one window', function(child)
    local c = child()
    c:open_log('BrummerRun dev')
    local wins = c:lua('return vim.api.nvim_list_wins()')
    c:cmd('Brummer')
    t.eq(c:lua('return vim.bo.filetype'), 'brummer-dashboard')
    c:type('<CR>')
    t.has(c:lua('return vim.api.nvim_buf_get_name(0)'), 'brummer://logs/dev')
    t.eq(c:lua('return vim.api.nvim_list_wins()'), wins)
  end)

  test('<CR> opens the log, s stops, r runs again', function(child)
    local c = child()
    c:open_log('BrummerRun dev')
    c:cmd('wincmd k | Brummer open')
    c:type('3G')
    c:type('s')
    t.eq(c:call('stop').params.id, 1)
    c:type('r')
    t.eq(c:call('restart').params.id, 1)
    c:type('<CR>')
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs/dev'
    end)
  end)

  test('with two projects each row names its own, at 60 cells too', function(child)
    local c = opened(child, { width = 60 })
    t.ok(not c:lines()[3]:find('shop'), 'not with one')
    c:frame({ rev = 2, procs = { c:row({ id = 4, root = '/tmp/blog', errors = 1 }) } })
    t.has(c:lines()[3], 'shop')
    t.has(c:lines()[6], 'blog')
    t.has(c:lines()[6], '1 error')
    for _, line in ipairs(c:lines()) do
      t.ok(vim.fn.strdisplaywidth(line) <= 60, line)
    end
  end)

  test('errors and next are about the project of the line', function(child)
    local c = opened(child)
    c:lua([[require('brummer.host').call('config', { dir = '/tmp' })]])
    c:call('config') -- The host is there: it does not forget the rows any more.
    c:frame({ rev = 1, procs = { c:row(), c:row({ id = 4, root = '/tmp/blog', errors = 1 }) } })
    c:type('G')
    c:cmd('Brummer errors')
    t.eq(c:call('errors').params, { root = '/tmp/blog' })
    c:cmd('Brummer next')
    t.eq(c:call('errors', 2).params, { root = '/tmp/blog' })
    c:type('gg')
    c:cmd('Brummer next')
    t.eq(next(c:call('errors', 3).params), nil)
  end)

  test('what ended shows no process id, what was stopped no signal', function(child)
    local c = opened(child)
    c:frame({ rev = 2, procs = { c:row({ state = 'stopped', signal = 'SIGTERM', pid = 4711 }) } })
    t.has(c:lines()[3], 'stopped')
    t.ok(not c:lines()[3]:find('SIGTERM') and not c:lines()[3]:find('pid'), c:lines()[3])
  end)

  test('the cursor starts on the first process', function(child)
    local c = opened(child)
    t.eq(c:lua('return vim.api.nvim_win_get_cursor(0)'), { 3, 0 })
    t.has(c:lua('return vim.api.nvim_get_current_line()'), 'dev')
  end)

  test('on a line that is no process the keys say so and do nothing', function(child)
    local c = opened(child)
    c:lua('vim.ui.select = function() _G.asked = true end')
    local wins = #c:lua('return vim.api.nvim_list_wins()')
    for i, key in ipairs({ 's', 'r', '<CR>', 'o', 'O', 'gO', '<C-w>gF' }) do
      c:type('gg' .. key)
      t.wait(function()
        return #c:lua('return _G.said') == i
      end, key)
      t.has(c:lua('return _G.said[#_G.said]'), 'no process on this line')
    end
    t.eq(c:calls('stop'), {})
    t.eq(c:calls('restart'), {})
    t.eq(c:lua('return _G.asked'), nil)
    t.eq(#c:lua('return vim.api.nvim_list_wins()'), wins)
    c:cmd('Brummer stop')
    t.eq(c:call('stop').params.id, 1, 'a command means the only one that runs')
  end)

  test('the statusline counts and is empty when nothing runs', function(child)
    local c = opened(child)
    t.eq(c:lua("return require('brummer').statusline()"), '● 1  ✗ 1')
    c:frame({ rev = 2, procs = { c:row({ state = 'stopped' }) } })
    t.eq(c:lua("return require('brummer').statusline()"), '')
  end)

  test('events carry data and come after the rows', function(child)
    local c = child()
    c:lua([[
      _G.got = {}
      for _, name in ipairs({ 'started', 'exited', 'error' }) do
        require('brummer').on(name, function(data)
          table.insert(_G.got, { name, data.name, data.exit_code or 0,
            require('brummer').status('dev').state })
        end)
      end
    ]])
    c:frame({
      rev = 1,
      procs = { c:row({ state = 'failed', exit_code = 3 }) },
      events = {
        { kind = 'started', id = 1, run = 1, at = 1 },
        { kind = 'exited', id = 1, run = 1, at = 2, state = 'failed', exit_code = 3, took = 5 },
      },
    })
    t.wait(function()
      return #c:lua('return _G.got') == 2
    end)
    t.eq(
      c:lua('return _G.got'),
      { { 'started', 'dev', 0, 'failed' }, { 'exited', 'dev', 3, 'failed' } }
    )
  end)

  local function fail(c, id, name, message)
    c:frame({
      rev = id,
      procs = { c:row({ id = id, name = name, state = 'failed', exit_code = 1 }) },
      events = {
        {
          kind = 'exited',
          id = id,
          run = 1,
          at = 2,
          state = 'failed',
          exit_code = 1,
          took = 5,
          message = message,
        },
      },
    })
  end

  test('a failed process is one notice; three within 200 ms are one', function(child)
    local c = child()
    fail(c, 1, 'dev', 'Cannot find module x')
    c:hears('dev failed (exit 1): Cannot find module x')
    c:lua('_G.said = {}')
    fail(c, 1, 'dev')
    fail(c, 2, 'api')
    fail(c, 3, 'worker')
    c:hears('3 processes failed: dev, api, worker')
    t.eq(#c:lua('return _G.said'), 1)
  end)

  test('a notice waits while a command line or completion menu is open', function(child)
    local c = child()
    c:type(':')
    fail(c, 1, 'dev')
    local until_then = vim.uv.now() + 500
    t.wait(function()
      return vim.uv.now() > until_then
    end)
    t.eq(c:said(), '')
    c:type('<Esc>')
    c:hears('dev failed')
  end)

  test('notices can be turned off, all or single ones', function(child)
    for _, option in ipairs({ false, { failed = false } }) do
      local c = child({ config = { notify = option } })
      fail(c, 1, 'dev')
      local until_then = vim.uv.now() + 400
      t.wait(function()
        return vim.uv.now() > until_then
      end)
      t.eq(c:said(), '')
    end
  end)

  test('A6: no message blocks, at 60x20 and 80x24, cmdheight 0 and 1', function(child)
    for _, size in ipairs({ { 60, 20 }, { 80, 24 } }) do
      for cmdheight = 0, 1 do
        local c = child({ width = size[1], height = size[2] })
        c:cmd('set cmdheight=' .. cmdheight)
        local long = ('/srv/somebody/with/a/long/way/to/%s/total.ts'):format(('x'):rep(120))
        for level = 2, 4 do
          c:lua(
            [[
            local text, level = ...
            require('brummer.notify').say(text, level)
          ]],
            'no such file ' .. long .. ' ' .. ('y'):rep(90),
            level
          )
          t.wait(function()
            return #c:lua('return _G.said') == level - 1
          end)
          t.ok(not c:mode().blocking, vim.inspect({ size, cmdheight, level }))
          c:type('j')
        end
        c:cmd('Brummer nosuchthing')
        fail(c, 1, 'dev', long)
        c:hears('dev failed')
        t.ok(not c:mode().blocking, vim.inspect({ size, cmdheight }))
      end
    end
  end)

  test('confirm_quit refuses :qa and asks under :confirm, off it leaves', function(child)
    local c = child({ config = { confirm_quit = true } })
    c:open_log()
    local ok = pcall(c.cmd, c, 'qa')
    t.ok(not ok and not c.gone, 'refused')
    t.wait(function()
      return c:lua([[return not vim.iter(vim.api.nvim_list_bufs()):any(function(buf)
        return vim.bo[buf].modified
      end)]])
    end, 'no changed buffer stays behind')
    vim.rpcnotify(c.job, 'nvim_input', ':confirm qa<CR>')
    t.wait(function()
      return c:mode().mode:find('^r')
    end, 'the question')
    vim.rpcrequest(c.job, 'nvim_input', 'C')
    t.wait(function()
      return c:mode().mode == 'n'
    end)
    t.eq(c:lua("return require('brummer').status('dev').state"), 'running')
    vim.rpcnotify(c.job, 'nvim_input', ':confirm qa<CR>')
    t.wait(function()
      return c:mode().mode:find('^r')
    end, 'the question')
    vim.rpcnotify(c.job, 'nvim_input', 'N')
    t.wait(function()
      return c.gone
    end, 'the end')
  end)

  test('what comes in one frame stands in the order of its start', function(child)
    local c = child()
    c:open_log()
    local function new(id, name)
      return c:row({ id = id, name = name })
    end
    c:frame({ procs = { new(7, 'worker'), new(5, 'db'), new(6, 'api') } })
    t.eq(
      c:lua([[return vim.tbl_map(function(row) return row.name end, require('brummer').processes())]]),
      { 'dev', 'db', 'api', 'worker' }
    )
  end)

  test('a process that takes its time to end says so, in the list, the log and K', function(child)
    local c = child()
    c:answers([[return { stop = function() return {} end, describe = function() return {} end }]])
    c:open_log()
    c:cmd('Brummer stop dev')
    t.wait(function()
      return c:screen():find('● dev · stopping', 1, true)
    end, 'the bar')
    c:cmd('Brummer')
    t.has(c:screen(), '● dev   stopping')
    c:type('K')
    t.wait(function()
      return c:screen():find('dev · stopping', 1, true)
    end, 'the details')
    c:frame({ procs = { c:row({ state = 'stopped', run = 1 }) } })
    t.ok(not c:screen():find('● dev +stopping'))
    c:frame({ procs = { c:row({ run = 2 }) } })
    t.has(c:screen(), '● dev   up')
  end)

  test('a stop that is refused is no stop', function(child)
    local c = child()
    c:answers([[return { stop = function() return nil, 'no such process' end }]])
    c:open_log()
    c:cmd('Brummer stop dev')
    c:hears('no such process')
    c:cmd('Brummer')
    t.has(c:screen(), '● dev   up')
  end)

  test('the header counts what this Neovim runs', function(child)
    local c = child()
    c:open_log()
    c:frame({ procs = { c:row(), c:row({ id = 2, name = 'dev @4711', elsewhere = 4711 }) } })
    c:cmd('Brummer')
    t.has(c:screen(), 'shop · 1 running')
  end)
end
