--- B14: sending lines, terminals of processes, their sizes.
return function(test, t)
  --- A child with a process that has a terminal.
  local function with_terminal(child, opts)
    local c = child(vim.tbl_extend('force', { width = 100 }, opts or {}))
    -- Starts the host, whose rows are then ours.
    c:cmd('BrummerRun dev')
    c:call('watch')
    c:frame({ rev = 1, procs = { c:row({ terminal = true }) } })
    return c
  end

  --- Attaches and waits for the terminal's buffer.
  local function attach(c, n)
    c:cmd('Brummer attach dev')
    c:call('attach', n)
    return t.wait(function()
      return c:lua([[
        local buf = vim.api.nvim_get_current_buf()
        return vim.bo[buf].buftype == 'terminal' and vim.api.nvim_get_mode().mode == 't' and buf
      ]])
    end, 'the terminal')
  end

  local function print_to(c, buf, bytes, extra)
    c:frame({ rev = 1, terms = { vim.tbl_extend('force', { buf = buf, bytes = bytes }, extra or {}) } })
  end

  local function keys(c)
    local bytes = {}
    for _, call in ipairs(c:calls('input')) do
      bytes[#bytes + 1] = call.params.bytes
    end
    return table.concat(bytes)
  end

  test('B14: a line is sent as it was typed, with a name and without', function(child)
    local c = with_terminal(child)
    c:cmd('Brummer send dev rs  "two"  | three')
    t.eq(c:call('send').params, { id = 1, text = 'rs  "two"  | three' })
    c:cmd('Brummer send rs')
    t.eq(c:call('send', 2).params, { id = 1, text = 'rs' })
    c:cmd('Brummer send --eof dev')
    t.eq(c:call('send', 3).params, { id = 1, eof = true })
    c:cmd('Brummer send --eof dev last words')
    t.eq(c:call('send', 4).params, { id = 1, text = 'last words', eof = true })
  end)

  test('B14: of two names the longer one is meant, also with a blank in it', function(child)
    local c = with_terminal(child)
    c:frame({
      rev = 1,
      procs = {
        c:row({ id = 2, name = 'cargo' }),
        c:row({ id = 3, name = 'cargo run' }),
      },
    })
    c:cmd('Brummer send cargo run yes')
    t.eq(c:call('send').params, { id = 3, text = 'yes' })
    c:cmd('Brummer send cargo\\ run yes')
    t.eq(c:call('send', 2).params, { id = 3, text = 'yes' })
    c:cmd('Brummer send cargo runs')
    t.eq(c:call('send', 3).params, { id = 2, text = 'runs' })
  end)

  test('B14: i in a log and in the list asks for one line', function(child)
    local c = with_terminal(child)
    c:lua([[
      vim.ui.input = function(opts, done)
        _G.asked = opts.prompt
        done(_G.answer)
      end
      _G.answer = 'rs'
    ]])
    c:type('i')
    t.eq(c:call('send').params, { id = 1, text = 'rs' })
    t.eq(c:lua('return _G.asked'), 'dev> ')
    c:frame({ rev = 1, procs = { c:row({ terminal = true, prompt = 'Overwrite? [y/N]' }) } })
    c:lua("_G.answer = ''")
    c:type('i')
    t.eq(c:call('send', 2).params, { id = 1, text = '' }, 'an empty line is a line')
    t.eq(c:lua('return _G.asked'), 'Overwrite? [y/N] ')
    c:lua('_G.answer = nil')
    c:type('i')
    c:cmd('Brummer')
    c:lua("_G.answer = 'from the list'")
    c:type('i')
    t.eq(c:call('send', 3).params, { id = 1, text = 'from the list' }, 'a cancelled one sends nothing')
  end)

  test('B14: what the host refuses is said', function(child)
    local c = with_terminal(child, { width = 200 })
    c:answers([[return { send = function() return nil, 'dev does not read its input' end }]])
    c:cmd('Brummer send dev x')
    c:hears('dev does not read its input')
  end)

  test('B14: a terminal shows the bytes and sends the keys', function(child)
    local c = with_terminal(child)
    local buf = attach(c)
    t.eq(c:call('attach').params, { buf = buf, id = 1 })
    t.eq(c:lua('return vim.api.nvim_buf_get_name(0)'), 'brummer://terminal/dev')
    print_to(c, buf, '\27[31mred\27[0m line\r\nname? ', { reset = true })
    t.wait(function()
      return c:screen():find('red line\nname?', 1, true)
    end, 'what was printed')
    c:type('me\r')
    t.wait(function()
      return keys(c) == 'me\r'
    end, 'the keys')
    t.eq(c:lua('return vim.api.nvim_get_mode().mode'), 't')
  end)

  test('B14: only questions that are new are answered', function(child)
    local c = with_terminal(child)
    local buf = attach(c)
    print_to(c, buf, 'old\27[6n', { reset = true })
    print_to(c, buf, '\r\n\r\nnew\27[6n')
    t.wait(function()
      return keys(c) == '\27[3;4R'
    end, 'one answer')
  end)

  test('B14: what is lost is said, and the program asked to draw all of it', function(child)
    local c = with_terminal(child)
    local buf = attach(c)
    -- Its size is that of the log until its own window is there.
    local before = t.wait(function()
      local sizes = c:calls('resize')
      local last = sizes[#sizes]
      local size = c:lua('return { cols = vim.fn.winwidth(0), rows = vim.fn.winheight(0), id = 1 }')
      return last and vim.deep_equal(last.params, size) and #sizes
    end, 'the size of its window')
    print_to(c, buf, 'the rest', { reset = true, lost = 1200000 })
    t.wait(function()
      return c:screen():find('… 1.1 MB not kept …\nthe rest', 1, true)
    end, 'what is lost')
    c:call('resize', before + 2)
    local sizes = c:calls('resize')
    t.eq(sizes[before + 2].params, sizes[before].params)
    t.eq(sizes[before + 1].params.rows, sizes[before].params.rows - 1)
  end)

  test('B14: closing a terminal ends nothing, and it can be opened again', function(child)
    local c = with_terminal(child)
    local buf = attach(c)
    c:cmd('stopinsert')
    c:type('<C-\\><C-n>q')
    t.eq(c:call('detach').params, { buf = buf })
    t.eq(#c:calls('stop'), 0)
    t.eq(c:lua('return vim.api.nvim_buf_is_valid(...)', buf), false)
    local again = attach(c, 2)
    print_to(c, again, 'still there', { reset = true })
    t.wait(function()
      return c:screen():find('still there', 1, true)
    end, 'the replay')
    c:cmd('Brummer attach dev')
    t.eq(#c:calls('attach'), 2, 'one terminal is shown once')
  end)

  test('B14: the end of the process is said, the next run begins anew', function(child)
    local c = with_terminal(child)
    local buf = attach(c)
    print_to(c, buf, '\27[?1049hfull screen', { reset = true })
    local over = { terminal = true, state = 'failed', exit_code = 3 }
    c:frame({
      rev = 1,
      procs = { c:row(over) },
      events = { { kind = 'exited', id = 1, run = 1, at = 1, state = 'failed', exit_code = 3, took = 5 } },
    })
    t.wait(function()
      return c:screen():find('[dev: exit 3]', 1, true)
    end, 'the end')
    c:type('x')
    t.eq(keys(c), '', 'nobody reads keys any more')
    c:frame({ rev = 1, procs = { c:row({ terminal = true, run = 2 }) } })
    print_to(c, buf, 'second run', { reset = true })
    t.wait(function()
      return c:screen():find('second run', 1, true)
    end, 'the second run')
    t.ok(not c:screen():find('[dev: exit 3]', 1, true))
  end)

  test('B14: a process without a terminal is said to have none, and no window opens', function(child)
    local c = with_terminal(child, { width = 200 })
    c:answers([[return { attach = function() return nil, 'dev has no terminal: set pty' end }]])
    local wins = c:lua('return #vim.api.nvim_list_wins()')
    c:cmd('Brummer attach dev')
    c:hears('dev has no terminal')
    t.eq(c:lua('return #vim.api.nvim_list_wins()'), wins)
    t.eq(c:lua([[return vim.fn.bufnr('brummer://terminal/dev')]]), -1)
  end)

  test('B14: a terminal is as wide as the widest log window, and as large as its own', function(child)
    local c = with_terminal(child)
    -- The columns beside the text show when they are drawn, and count from the next line on.
    c:lua('vim.cmd.redraw()')
    c:frame({ rev = 1, procs = { c:row({ terminal = true, lines = 1 }) } })
    local function sized(cols, rows, what)
      t.wait(function()
        local list = c:calls('resize')
        local last = list[#list]
        local now = type(cols) == 'function' and cols() or cols
        return last and last.params.cols == now and last.params.rows == rows
      end, what)
    end
    local function text_width()
      return c:lua([[
        local info = vim.fn.getwininfo(vim.api.nvim_get_current_win())[1]
        return info.width - info.textoff
      ]])
    end
    local wide = text_width()
    t.ok(wide > 80 and wide < 100, wide)
    sized(wide, 24, 'the width of the window')
    c:cmd('vsplit')
    t.ok(text_width() < 60)
    -- In a narrow window the times leave a moment later.
    sized(text_width, 24, 'the width of both')
    c:cmd('tab split')
    sized(wide, 24, 'the width of the widest, in any tab page')
    c:cmd('tabclose')
    c:cmd('only')
    c:cmd('enew')
    sized(80, 24, 'the size of a terminal that nobody looks at')
    attach(c)
    sized(100, c:lua('return vim.api.nvim_win_get_height(0)'), 'the size of its window')
  end)

  test('B14: that a program wants a terminal is said once for each run', function(child)
    local c = with_terminal(child)
    local buf = c:lua('return vim.api.nvim_get_current_buf()')
    c:print(buf, 1, 3, { reset = true })
    local function notes()
      return c:lua([[
        local ns = require('brummer.ui.draw').ns.terminal
        return vim.tbl_map(function(mark)
          return { mark[2], mark[4].virt_lines[1][1][1] }
        end, vim.api.nvim_buf_get_extmarks(..., ns, 0, -1, { details = true }))
      ]], buf)
    end
    t.eq(notes(), {})
    c:frame({ rev = 1, procs = { c:row({ terminal = true, full_screen = true }) } })
    local said = '── dev draws on the screen or reads keys · :Brummer attach ──'
    t.eq(notes(), { { 2, said } })
    c:print(buf, 4, 9)
    c:frame({ rev = 1, procs = { c:row({ terminal = true, full_screen = true, lines = 9 }) } })
    t.eq(notes(), { { 2, said } })
    c:frame({ rev = 1, procs = { c:row({ terminal = true, full_screen = true, run = 2 }) } })
    t.eq(notes(), { { 2, said }, { 8, said } })
  end)
end
