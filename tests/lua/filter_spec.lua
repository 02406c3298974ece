--- B12: filtered logs.
return function(test, t)
  local function name(c)
    return c:lua('return vim.api.nvim_buf_get_name(0)')
  end

  --- Sends some of the lines of a log, as a filter lets them pass.
  local function pass(c, buf, seqs, extra)
    local lines, runs = {}, {}
    for i, seq in ipairs(seqs) do
      lines[i] = 'line ' .. seq
      vim.list_extend(runs, { seq, 1 })
    end
    c:frame({
      rev = 1,
      logs = {
        vim.tbl_extend('force', {
          buf = buf,
          id = 1,
          total = #lines,
          lines = lines,
          seqs = runs,
          times = { 1700000000000, #lines },
          reset = true,
        }, extra or {}),
      },
    })
  end

  --- Waits until the current buffer is another one.
  local function switched(c, from)
    return t.wait(function()
      local buf = c:lua('return vim.api.nvim_get_current_buf()')
      return buf ~= from and buf
    end, 'the other buffer')
  end

  test('a filter is a buffer of its own in this window only', function(child)
    local c = child({ width = 100, height = 40 })
    local buf = c:open_log()
    c:print(buf, 1, 50)
    c:cmd('split')
    c:cmd('Brummer filter -hmr /a b/')
    local call = c:call('watch', 2)
    t.eq(call.params.filter, '-hmr /a b/')
    local filtered = switched(c, buf)
    t.eq(name(c), 'brummer://logs/dev?-hmr /a b/')
    t.eq(#c:lua('return vim.fn.win_findbuf(...)', buf), 1)
    t.eq(c:lua('return vim.bo.filetype'), 'brummer-logs')
    pass(c, filtered, { 3, 9 }, { passed_over = 48 })
    t.eq(c:lines(filtered), { 'line 3', 'line 9' })
    t.eq(#c:lines(buf), 50, 'the other window stays whole')
    t.wait(function()
      return c:screen():find('dev · only -hmr /a b/ · 2 of 50 lines pass · following', 1, true)
    end, 'the bar')
    pass(c, filtered, { 60, 70 }, { reset = false, total = 4, passed_over = 18 })
    t.eq(#c:lines(filtered), 4)
    t.ok(not c:screen():find('not shown', 1, true), 'lines that do not pass are no gap')
  end)

  test('the cursor stays on its line, else on the nearest, there and back', function(child)
    local c = child({ width = 100, height = 40 })
    local buf = c:open_log()
    c:print(buf, 1, 50)
    c:type('20G')
    c:cmd('Brummer filter x')
    local filtered = switched(c, buf)
    pass(c, filtered, { 3, 10 })
    pass(c, filtered, { 18, 30, 45 }, { reset = false })
    t.eq(c:lua('return vim.api.nvim_get_current_line()'), 'line 18')
    t.eq(c:lua("return require('brummer.ui.follow').on(0)"), false)
    c:type('k')
    c:cmd('Brummer filter --off')
    t.eq(name(c), 'brummer://logs/dev')
    t.eq(c:lua('return vim.api.nvim_get_current_line()'), 'line 10')
    c:type('G')
    c:cmd('Brummer filter x')
    t.eq(name(c), 'brummer://logs/dev?x')
    t.eq(c:lua("return require('brummer.ui.follow').on(vim.api.nvim_get_current_win())"), true)
  end)

  test('from a filter that nothing passes one comes back to the line one was on', function(child)
    local c = child({ width = 100, height = 40 })
    local buf = c:open_log()
    c:print(buf, 1, 50)
    c:type('20G')
    c:cmd('Brummer filter x')
    switched(c, buf)
    c:cmd('Brummer filter --off')
    t.eq(c:lua('return { vim.api.nvim_get_current_line(), vim.api.nvim_get_current_buf() }'), { 'line 20', buf })
    t.eq(c:lua("return require('brummer.ui.follow').on(0)"), false)
  end)

  test('& asks, remembers what the script had, an empty answer goes back', function(child)
    local c = child({ width = 100 })
    local buf = c:open_log()
    c:lua([[
      vim.ui.input = function(opts, cb)
        _G.asked = { opts.prompt, opts.default }
        cb(_G.answer)
      end
      _G.answer = 'level:error'
    ]])
    c:type('&')
    t.eq(c:lua('return _G.asked'), { 'Only lines of dev with: ', '' })
    local filtered = switched(c, buf)
    t.eq(name(c), 'brummer://logs/dev?level:error')
    c:lua("_G.answer = ''")
    c:type('&')
    t.eq(c:lua('return _G.asked[2]'), 'level:error')
    t.eq(name(c), 'brummer://logs/dev')
    c:lua('_G.answer = nil')
    c:type('&')
    t.eq(c:lua('return _G.asked[2]'), 'level:error', 'remembered')
    t.eq(name(c), 'brummer://logs/dev', 'cancelled')
    t.ok(filtered)
  end)

  test('a wrong filter is one message, and the log stays', function(child)
    local c = child({ width = 100 })
    local buf = c:open_log()
    c:answers([[return { watch = function(p)
      if p.filter then return nil, 'filter: unclosed group in /a(/, character 3' end
      return {}
    end }]])
    c:cmd('Brummer filter /a(/')
    c:hears('brummer: filter: unclosed group in /a(/, character 3')
    t.eq(c:lua('return vim.api.nvim_get_current_buf()'), buf)
    t.eq(c:lua("return vim.fn.bufexists('brummer://logs/dev?/a(/')"), 0)
    t.eq(c:mode().blocking, false)
  end)

  test('?errors shows the errors', function(child)
    local c = child({ width = 100 })
    c:open_log()
    c:cmd([[execute "normal \<Plug>(brummer-only-errors)"]])
    t.eq(c:call('watch', 2).params.filter, 'level:error')
    t.wait(function()
      return name(c) == 'brummer://logs/dev?errors'
        and c:screen():find('dev · errors only · following', 1, true)
    end, 'the view')
  end)

  test('filtered logs open by name, come back with a session, and are told apart from scripts', function(child)
    local c = child({ width = 100 })
    c:lua("vim.cmd.edit(vim.fn.fnameescape('brummer://logs/dev?-hmr'))")
    t.eq(c:call('watch').params, { buf = 1, root = c.project, name = 'dev', max = 10000, rows = 24, filter = '-hmr' })
    local file = c.dir .. '/Session.vim'
    c:cmd('mksession ' .. file)
    local other = child({ width = 100 })
    other:cmd('silent source ' .. file)
    t.eq(other:call('previous').params.filter, '-hmr')
    local view = require('brummer.ui.view')
    local project = require('brummer.project')
    project.label('/p')
    for _, script in ipairs({ 'curl http://x/?a=b', 'date +%H:%M %41', '100%' }) do
      local shown = view.log_name('/p', script, 'a?b')
      c:lua('_G.at = vim.api.nvim_create_buf(false, true); vim.api.nvim_buf_set_name(_G.at, ...)', shown)
      c:lua([[require('brummer.ui.view').attach(_G.at, vim.api.nvim_buf_get_name(_G.at))]])
      t.eq(
        c:lua([[local v = require('brummer.ui.view').get(_G.at); return { v.script, v.filter }]]),
        { script, 'a?b' }
      )
    end
  end)

  test('outside a log the one that runs is filtered; words complete', function(child)
    local c = child({ width = 100 })
    local buf = c:open_log()
    c:cmd('wincmd k')
    c:cmd('Brummer filter hmr')
    switched(c, buf)
    t.wait(function()
      return name(c) == 'brummer://logs/dev?hmr'
    end)
    local function complete(line)
      return c:lua("return vim.fn.getcompletion(..., 'cmdline')", line)
    end
    t.eq(complete('Brummer filter lev'), { 'level:error', 'level:warn' })
    t.eq(complete('Brummer filter x -pro'), { '-process:dev' })
    t.eq(complete('Brummer filter --o'), { '--off' })
    t.eq(complete('Brummer search --p'), { '--previous' })
  end)

  test('gL asks for the lines in front of the gap above the cursor, else of the first', function(child)
    local c = child({ width = 100, height = 40 })
    local buf = c:open_log()
    c:print(buf, 101, 110, { reset = true })
    c:print(buf, 201, 210)
    c:type('5G')
    c:type('gL')
    t.eq(c:call('load').params, { buf = buf, before = 101, count = 1000 })
    c:hears('1,000 lines loaded · gL loads more')
    c:type('15G')
    c:type('2gL')
    t.eq(c:call('load', 2).params, { buf = buf, before = 201, count = 2000 })
  end)

  test('what gL loads comes at once, also where the user reads', function(child)
    local c = child({ width = 100, height = 40 })
    local buf = c:open_log()
    c:print(buf, 101, 110, { reset = true })
    c:print(buf, 201, 210)
    c:type('15G')
    c:answers([[return { load = function(p, host)
      host.send({ logs = { {
        buf = p.buf, id = 1, before = p.before, total = 210, lines = { 'line 199', 'line 200' },
        seqs = { 199, 2 }, times = { 1700000000000, 2 }, skipped = 88,
      } } })
      return { lines = 2 }
    end }]])
    c:type('gL')
    c:hears('2 lines loaded')
    t.eq(vim.list_slice(c:lines(buf), 10, 13), { 'line 110', 'line 199', 'line 200', 'line 201' })
    t.eq(c:lua('return vim.api.nvim_get_current_line()'), 'line 205')
    t.has(c:screen(), '88 lines not shown')
  end)

  test('copy, yank and / give the text as it was printed', function(child)
    local c = child({ width = 100 })
    local buf = c:open_log()
    local printed = { '  \tat f (a.ts:1:2)  ', 'ünï → ␀', ('x'):rep(300), '' }
    c:frame({
      rev = 1,
      logs = {
        {
          buf = buf, id = 1, total = 4, lines = printed, seqs = { 1, 4 }, times = { 1700000000000, 4 },
          marks = { 1, 1 }, runs = { { seq = 2, run = 2, at = 1700000000000 } }, reset = true,
        },
      },
    })
    c:cmd('%yank a')
    t.eq(c:lua("return vim.fn.getreg('a')"), table.concat(printed, '\n') .. '\n')
    c:type('gg/→<CR>')
    c:type('vy')
    t.eq(c:lua("return vim.fn.getreg('\"')"), '→')
  end)
end
