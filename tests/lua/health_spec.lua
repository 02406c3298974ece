--- `:Brummer health`: calm while all is well, worst first when not, live only while somebody looks.
return function(test, t)
  --- Parts that are not as they should be.
  local UNWELL = [[
    local report = vim.deepcopy(_G.well)
    local logs = report.components[3]
    logs.state, logs.reason, logs.errors = 'failing', '5 faults in a minute', 5
    logs.off, logs.mode = { 'errors are not looked for' }, 'fallback'
    report.components[1].state, report.components[1].reason = 'degraded', 'slow handlers'
    report.memory.pressure, report.memory.off = 'warning', { 'telemetry is off' }
    report.budgets[1].used, report.budgets[1].waiting = 64, 3
    report.thresholds[1].recent, report.thresholds[1].breaches = 2, 14
    report.faults = { { at = os.time() * 1000 - 3000, component = 'logs', place = 'writer',
      kind = 'panic', message = 'index out of bounds', count = 3 } }
    require('brummer.rpc').frame(vim.mpack.encode({ rev = 9, health = report }))
  ]]

  --- The view with a host behind it, all well.
  local function opened(child, opts)
    local c = child(opts)
    c:lua("require('brummer').run('dev', { open = false })")
    c:call('run')
    c:cmd('Brummer health')
    c:call('watch_health')
    t.wait(function()
      return c:lines()[1]:find('all is well', 1, true)
    end, 'the report')
    c:lua([[
      local apply = require('brummer.ui.health').apply
      require('brummer.rpc').call('health', {}, function(_, value) _G.well = value end)
    ]])
    t.wait(function()
      return c:lua('return _G.well ~= nil')
    end, 'a report to change')
    return c
  end

  --- Highlights of the view: group and text.
  local function coloured(c)
    return c:lua([[
      local found = {}
      local ns = vim.api.nvim_get_namespaces()['brummer.health']
      for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, ns, 0, -1, { details = true })) do
        local line = vim.api.nvim_buf_get_lines(0, mark[2], mark[2] + 1, false)[1]
        if mark[4].hl_group:find('Health') then
          table.insert(found, line:sub(mark[3] + 1, mark[4].end_col))
        end
      end
      return found
    ]])
  end

  test('all well: one line says so and nothing is coloured', function(child)
    local c = opened(child)
    local lines = c:lines()
    t.has(lines[1], 'all is well')
    t.has(lines[1], 'g? help')
    t.has(lines[2], 'up 12m · pid 4711 · version 0.1.0')
    t.has(lines[3], '1,200 lines/s · 30 events/s · workers 2 % busy')
    local text = table.concat(lines, '\n')
    for _, part in ipairs({ '▾ Parts', '▾ Memory', '▾ Budgets', '▾ Queues', '▾ Limits' }) do
      t.has(text, part)
    end
    t.has(text, '✓ logs       healthy    keeps what was printed')
    t.has(text, 'never over it')
    t.ok(text:find('events high +0 of +100  starts, ends, errors'), text)
    t.ok(text:find('tasks +23 +jobs inside the host'), text)
    t.ok(not text:find('Faults', 1, true), 'no faults, no section')
    t.eq(coloured(c), {})
    t.eq(c:lua('return { vim.bo.filetype, vim.bo.modifiable, vim.bo.buflisted }'), {
      'brummer-health',
      false,
      false,
    })
    for _, line in ipairs(lines) do
      t.ok(vim.fn.strdisplaywidth(line) <= 80, line)
    end
  end)

  test('what became of processes is told once it has happened', function(child)
    local c = opened(child)
    t.ok(not table.concat(c:lines(), '\n'):find('So far', 1, true), 'nothing has')
    c:lua([[
      local report = vim.deepcopy(_G.well)
      report.counters = { { name = 'restarts', count = 1200 }, { name = 'guards lost', count = 1 } }
      require('brummer.rpc').frame(vim.mpack.encode({ rev = 9, health = report }))
    ]])
    local text = table.concat(c:lines(), '\n')
    t.has(text, '▾ So far')
    t.ok(text:find('restarts +1,200  started again, as `restart` says'), text)
    t.ok(text:find('guards lost +1  lost their guard and were ended'), text)
    t.eq(coloured(c), {}, 'it is over')
  end)

  test('not well: worst first, with what is switched off, and only that is coloured', function(child)
    local c = opened(child)
    c:lua(UNWELL)
    local lines = c:lines()
    t.has(lines[1], 'logs failing · bus degraded · memory short')
    local text = table.concat(lines, '\n')
    t.ok(text:find('✗ logs', 1, true) < text:find('! bus', 1, true), text)
    t.ok(text:find('! bus', 1, true) < text:find('✓ process', 1, true), text)
    for _, part in ipairs({
      '5 faults in a minute',
      'for now: fallback mode',
      'for now: errors are not looked for',
      'for now: telemetry is off',
      '▾ Faults (1)',
      'logs, writer',
      'crashed · 3 times',
      '     index out of bounds',
      'logs       failing    keeps what was printed',
      'full · 3 waiting',
      '2 over it in the last minute · 14 in all',
    }) do
      t.has(text, part)
    end
    local marked = table.concat(coloured(c), '\n')
    t.has(marked, 'failing')
    t.ok(not marked:find('healthy', 1, true), marked)
    c:lua("require('brummer.rpc').frame(vim.mpack.encode({ rev = 10, health = _G.well }))")
    t.has(c:lines()[1], 'all is well')
    t.eq(coloured(c), {}, 'calm again')
  end)

  test('what may stay is listed, what was merely left is not', function(child)
    local c = opened(child)
    t.ok(not table.concat(c:lines(), '\n'):find('Left running', 1, true), 'nothing, no section')
    c:lua([[
      local left = { { pid = 99, name = 'sccache', exempt = true }, { pid = 98, name = 'node' } }
      local procs = { { id = 7, name = 'web/build', root = '/p', state = 'success', run = 1, lines = 0, errors = 0, left = left } }
      require('brummer.rpc').frame(vim.mpack.encode({ rev = 9, procs = procs, health = _G.well }))
    ]])
    local text = table.concat(c:lines(), '\n')
    t.ok(text:find('▾ Left running[^\n]*\n +sccache %(99%) +of web/build'), text)
    t.ok(not text:find('node', 1, true), text)
  end)

  test('numbers end below each other, nothing is cut at the edge, and no unit is unreadable', function(child)
    local c = opened(child, { width = 60, height = 40 })
    c:cmd('only')
    c:lua([[
      local report = vim.deepcopy(_G.well)
      report.rates = { events = 12345, lines = 123456, workers_busy = 1, event_p50_us = 8192, event_p99_us = 1517850 }
      report.queues[2] = { name = 'mailboxes', used = 1234, capacity = 5000 }
      report.thresholds[2] = { name = 'leaked tasks', limit = '0', breaches = 0, recent = 0 }
      require('brummer.rpc').frame(vim.mpack.encode({ rev = 9, health = report }))
    ]])
    local ends = {}
    for _, line in ipairs(c:lines()) do
      t.ok(vim.fn.strdisplaywidth(line) <= 60, line)
      local used, room = line:match('^(   [%a ]-[%d,.–]+[ %a]-) of +[%d,]+()')
      if used and not line:find('▾') then
        ends[vim.fn.strdisplaywidth(used)] = line
        t.ok(room, line)
      end
    end
    t.eq(vim.tbl_count(ends), 1, vim.inspect(ends))
    local text = table.concat(c:lines(), '\n')
    t.has(text, '123,456 lines/s · 12,345 events/s · workers 100 % busy')
    t.ok(not text:find('p99', 1, true), text)
    t.ok(text:find('ownerless tasks +0 of +0'), text)
    t.has(text, '▾ Limits   the most there was, of what is allowed')
    c:lua([[
      local report = vim.deepcopy(_G.well)
      report.rates.event_p50_us, report.rates.event_p99_us, report.rates.events = 8192, 517850, 3
      report.rates.workers_busy, report.rates.lines = nil, 0
      require('brummer.rpc').frame(vim.mpack.encode({ rev = 10, health = report }))
    ]])
    t.has(c:lines()[3], 'events in 8.2 ms, rarely 518 ms')
  end)

  test('what is wrong is told whole, also where the window is narrow', function(child)
    local c = opened(child, { width = 60, height = 60 })
    c:cmd('only')
    c:lua([[
      local report = vim.deepcopy(_G.well)
      local logs = report.components[3]
      logs.state, logs.since = 'degraded', 1700000000000
      logs.reason = 'more memory was in use than the limit at least 3 times in the last minute'
      logs.off = { 'the editor hears of changes every 33 ms instead of every 16, and that is not all of it' }
      report.components[4].reason = '3 probes in a row found it working'
      report.faults = { { at = os.time() * 1000, component = 'logs', place = 'writer', kind = 'stuck',
        message = ('/a/very/long/path'):rep(8) .. ' is not\n\nthere' } }
      require('brummer.rpc').frame(vim.mpack.encode({ rev = 9, health = report }))
    ]])
    local lines = c:lines()
    for _, line in ipairs(lines) do
      t.ok(vim.fn.strdisplaywidth(line) <= 60, line)
    end
    local text = table.concat(lines, '\n')
    t.ok(text:find('     since %d%d:%d%d:%d%d: more memory was in use than the limit\n +at least 3 times in the last minute'), text)
    t.has(text:gsub('\n%s+', ' '), 'instead of every 16, and that is not all of it')
    t.ok(text:find('model +healthy +keeps the list of processes\n     well again since'), text)
    t.has(text, 'does not answer')
    t.has(text:gsub('\n%s+', ''), ('/a/very/long/path'):rep(8))
    t.has(text, 'is not there')
  end)

  test('what can be done stands below the first line, in the default window', function(child)
    local c = opened(child)
    t.eq(c:lua('return vim.api.nvim_win_get_height(0)'), 8)
    local function shows(change)
      c:lua('local report = vim.deepcopy(_G.well)\n' .. change .. [[
        require('brummer.rpc').frame(vim.mpack.encode({ rev = 9, health = report }))
      ]])
      return table.concat(vim.list_slice(c:lines(), 1, 4), '\n')
    end
    t.ok(not shows(''):find('→'), 'nothing to do')
    local text = shows("report.memory.pressure = 'critical'\n")
    t.has(text, 'memory very short')
    t.has(text:gsub('\n%s+', ' '), '→ run less at once, or raise resources.memory_limit_mb in .brum.toml and :Brummer config')
    text = shows("report.budgets[2].used = 200\n")
    t.has(text, 'no further process can start')
    t.has(text, '→ stop a process, or raise process_manager.max_processes')
    text = shows("report.budgets[3].leaked = 2\n")
    t.has(text, '2 tasks without an owner')
    t.has(text, '→ a fault of brummer')
    t.has(shows("report.components[1].state = 'degraded'\n"), '→ nothing to do for now')
    t.has(shows("report.components[1].state = 'failed'\n"), 'restart Neovim')
  end)

  test('fallback mode by the settings is named in the first line and is nothing wrong', function(child)
    local c = opened(child)
    c:lua([[
      local report = vim.deepcopy(_G.well)
      for _, it in ipairs(report.components) do
        it.mode, it.off = 'fallback', { 'no errors are looked for' }
      end
      require('brummer.rpc').frame(vim.mpack.encode({ rev = 9, health = report }))
    ]])
    local lines = c:lines()
    t.has(lines[1], 'all is well · fallback mode: bus, process, logs, model ')
    t.eq(vim.fn.strdisplaywidth(lines[1]), 79, 'the way to the keys stays where it is')
    t.eq(lines[6], '     fallback mode: no errors are looked for')
    t.eq(coloured(c), {})
    t.ok(not table.concat(lines, '\n'):find('→'), 'nothing to do')
  end)

  test('a flood of lines fills the output and is nothing wrong, another full queue is', function(child)
    local c = opened(child)
    local function with(name)
      c:lua(([[
        local report = vim.deepcopy(_G.well)
        report.queues[1] = { name = %q, used = 10, capacity = 10, dropped = 0, blocked = 89 }
        require('brummer.rpc').frame(vim.mpack.encode({ rev = 9, health = report }))
      ]]):format(name))
      return table.concat(c:lines(), '\n')
    end
    t.has(with('output'), 'full, programs wait a moment · 89 had to wait')
    t.eq(coloured(c), {})
    t.has(with('editor messages'), 'full · 89 had to wait')
    t.ok(#coloured(c) > 0, 'coloured')
  end)

  test('a host that comes leaves what stands there until its first report', function(child)
    local c = opened(child)
    c:lua("require('brummer.host').stop()")
    t.has(c:lines()[1], 'no host runs')
    c:answers([[return { watch_health = function() return {} end }]])
    c:type('G')
    local cursor = c:lua('return vim.api.nvim_win_get_cursor(0)')
    c:lua("require('brummer').run('dev', { open = false })")
    c:call('watch_health', 2)
    t.ok(#c:lines() > 3, 'not emptied')
    t.eq(c:lua('return vim.api.nvim_win_get_cursor(0)'), cursor)
  end)

  test('a window restored by a session is used again', function(child)
    local c = opened(child)
    local file = vim.fn.tempname()
    c:cmd('mksession ' .. file)
    local other = child()
    other:cmd('silent source ' .. file)
    t.wait(function()
      return other:screen():find('no host runs', 1, true)
    end, 'the view')
    local wins = #other:lua('return vim.api.nvim_list_wins()')
    other:cmd('BrummerRun dev')
    other:call('run')
    t.eq(#other:lua('return vim.api.nvim_list_wins()'), wins)
  end)

  test('a change moves neither cursor nor window and touches only its rows', function(child)
    local c = opened(child, { height = 12 })
    c:cmd('resize 5')
    c:type('8Gzt4l')
    local before = c:lua('return vim.fn.winsaveview()')
    c:lua([[
      _G.touched = 0
      vim.api.nvim_buf_attach(0, false, { on_lines = function() _G.touched = _G.touched + 1 end })
      local report = vim.deepcopy(_G.well)
      report.budgets[3].used = 24
      require('brummer.rpc').frame(vim.mpack.encode({ rev = 9, health = report }))
    ]])
    t.eq(c:lua('return _G.touched'), 1)
    local after = c:lua('return vim.fn.winsaveview()')
    t.eq({ after.lnum, after.col, after.topline }, { before.lnum, before.col, before.topline })
    t.ok(table.concat(c:lines(), '\n'):find('tasks +24'), 'the new number')
  end)

  test('a hidden view gets nothing, one shown again does', function(child)
    local c = opened(child)
    local buf = c:lua('return vim.api.nvim_get_current_buf()')
    t.eq(c:call('watch_health').params, { buf = buf })
    c:type('q')
    t.eq(c:call('unwatch_health').params, { buf = buf })
    c:cmd('Brummer health')
    t.eq(c:call('watch_health', 2).params, { buf = buf })
    c:cmd('bwipeout')
    c:call('unwatch_health', 2)
  end)

  test('R looks again at once, g? lists the keys', function(child)
    local c = opened(child)
    local n = #c:calls('health')
    c:type('R')
    c:call('health', n + 1)
    c:type('g?')
    t.has(table.concat(c:lines(), '\n'), 'R         look again now')
    t.eq(c:lua("return vim.fn.mapcheck('r', 'n')"), '')
  end)

  test('without a host it says so, starts none, and comes to life with one', function(child)
    local c = child({ width = 60, height = 20 })
    c:cmd('Brummer health')
    t.has(c:lines()[1], 'no host runs')
    t.has(table.concat(c:lines(), '\n'), ':checkhealth brummer')
    for _, line in ipairs(c:lines()) do
      t.ok(vim.fn.strdisplaywidth(line) <= 60, line)
    end
    t.eq(c:lua("return require('brummer.host').state()"), 'down')
    c:type('R')
    c:lua("require('brummer').run('dev', { open = false })")
    t.wait(function()
      return c:lines()[1]:find('all is well', 1, true)
    end, 'the report')
    c:lua("require('brummer.host').stop()")
    t.has(c:lines()[1], 'no host runs')
  end)

  local function change(c, from, to, component)
    c:frame({
      rev = 5,
      events = {
        {
          kind = 'health',
          component = component or 'logs',
          from = from,
          to = to,
          reason = '3 faults in a minute',
          at = 1700000000000,
        },
      },
    })
  end

  test('worse is told once in one line, better is not, and both are events', function(child)
    local c = child()
    c:lua([[
      _G.heard = {}
      require('brummer').on('health', function(data) table.insert(_G.heard, data.to) end)
    ]])
    change(c, 'healthy', 'degraded')
    c:hears('brummer: logs degraded: 3 faults in a minute (:Brummer health)')
    change(c, 'degraded', 'healthy')
    t.wait(function()
      return #c:lua('return _G.heard') == 2
    end, 'two events')
    t.eq(c:lua('return _G.heard'), { 'degraded', 'healthy' })
    change(c, 'healthy', 'failing')
    change(c, 'healthy', 'degraded', 'bus')
    c:hears('2 parts of the host are unwell: logs, bus (:Brummer health)')
    t.ok(not c:said():find('healthy', 1, true), c:said())
    t.eq(c:lua("return require('brummer').statusline()"), '')
  end)

  test('a long reason is cut, what to do is not', function(child)
    local c = child({ width = 60, height = 20 })
    c:frame({
      rev = 5,
      events = {
        { kind = 'health', component = 'bus', from = 'healthy', to = 'failed', reason = ('long '):rep(30), at = 1 },
      },
    })
    c:hears('… (:Brummer health)')
    t.eq(c:mode().blocking, false)
  end)

  test('the notice can be turned off', function(child)
    local c = child({ config = { notify = { health = false } } })
    change(c, 'healthy', 'failed')
    c:lua("require('brummer.notify').notice({ kind = 'error', name = 'x', text = 'later', level = 2 })")
    c:hears('later')
    t.ok(not c:said():find('logs', 1, true), c:said())
  end)

  test('the dashboard has a line of it while something is wrong, and <CR> opens the view', function(child)
    local c = child()
    c:cmd('Brummer')
    c:frame({ rev = 1, procs = { c:row() } })
    local function last()
      local lines = c:lines()
      return lines[#lines]
    end
    t.ok(not last():find('Health', 1, true))
    change(c, 'healthy', 'degraded')
    t.has(last(), '▸ Health: logs degraded (3 faults in a minute)')
    c:type('Gs')
    c:hears('no process on this line')
    c:type('<CR>')
    t.eq(c:lua('return vim.bo.filetype'), 'brummer-health')
    c:cmd('Brummer')
    change(c, 'degraded', 'healthy')
    t.ok(not last():find('Health', 1, true), 'gone with it')
  end)
end
