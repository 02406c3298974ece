--- B7: follow is a flag of the window that only the user's own movement changes.
return function(test, t)
  local function opened(child, opts)
    local c = child(opts)
    local buf = c:open_log()
    c:print(buf, 1, 100)
    c.win = c:lua('return vim.api.nvim_get_current_win()')
    return c, buf
  end
  local function lnum(c)
    return c:lua('return vim.api.nvim_win_get_cursor(...)[1]', c.win)
  end
  local function on(c)
    return c:lua("return require('brummer.ui.follow').on(...)", c.win)
  end

  test('on when opened: new lines bring the cursor along', function(child)
    local c, buf = opened(child)
    t.eq(lnum(c), 100)
    c:print(buf, 101, 150)
    t.eq(lnum(c), 150)
    t.has(c:screen(), 'line 150')
  end)

  test('off when the cursor leaves the last line, on when it gets there', function(child)
    local c, buf = opened(child)
    c:type('3k')
    t.wait(function()
      return not on(c)
    end, 'the pause')
    c:print(buf, 101, 150)
    t.eq(lnum(c), 97)
    c:type('G')
    t.wait(function()
      return on(c)
    end, 'the follow')
    c:print(buf, 151, 160)
    t.eq(lnum(c), 160)
  end)

  test('a movement just before a frame counts', function(child)
    local c, buf = opened(child)
    -- No CursorMoved yet: both happen before the main loop comes round.
    c:lua(
      [[
      local buf = ...
      vim.api.nvim_win_set_cursor(0, { 40, 0 })
      require('brummer.rpc').frame(vim.mpack.encode({ rev = 1, logs = { {
        buf = buf, id = 1, total = 101, lines = { 'x' }, seqs = { 101, 1 }, times = { 1, 1 } } } }))
    ]],
      buf
    )
    t.eq(lnum(c), 40)
  end)

  test('follows in a window that is not current', function(child)
    local c, buf = opened(child)
    c:cmd('wincmd k')
    c:type('ihello<Esc>')
    c:print(buf, 101, 150)
    t.eq(lnum(c), 150)
    t.has(c:screen(), 'line 150')
  end)

  test('a window that is not current shows the end of lines that wrap beside the time', function(child)
    local c, buf = opened(child)
    c:cmd('wincmd k')
    for first = 101, 141, 20 do
      local lines = {}
      for n = first, first + 19 do
        -- Less than a row without the column of times, more than one with it.
        lines[#lines + 1] = ('long %d %s'):format(n, ('x'):rep(68))
      end
      c:print(buf, first, first + 19, { lines = lines })
      t.has(c:screen(), ('long %d x'):format(first + 19))
      t.eq(c:lua("return vim.fn.line('w$', ...)", c.win), first + 19)
    end
  end)

  test('two windows on one log: each has its own flag', function(child)
    local c, buf = opened(child)
    c:cmd('split')
    local other = c:lua('return vim.api.nvim_get_current_win()')
    c:type('gg')
    t.wait(function()
      return c:lua("return not require('brummer.ui.follow').on(...)", other)
    end)
    c:print(buf, 101, 150)
    t.eq(lnum(c), 150)
    t.eq(c:lua('return vim.api.nvim_win_get_cursor(0)[1]'), 1)
  end)

  for _, command in ipairs({ 'split', 'vsplit', 'tab split' }) do
    test('a window split off one that follows does too: ' .. command, function(child)
      local c, buf = opened(child)
      -- Lines come while the command is typed.
      c:type(':')
      c:print(buf, 101, 150)
      t.eq(lnum(c), 100)
      c:type(command .. '<CR>')
      c:print(buf, 151, 160)
      t.ok(on(c), 'the window that was split')
      c.win = c:lua('return vim.api.nvim_get_current_win()')
      t.ok(on(c), 'the new window')
      t.eq(lnum(c), 160)
    end)
  end

  test('a window split off one that stands still stands still', function(child)
    local c, buf = opened(child)
    c:type('3k:split<CR>')
    c:print(buf, 101, 150)
    t.eq(lnum(c), 97)
    t.eq(c:lua('return vim.api.nvim_win_get_cursor(0)[1]'), 97)
  end)

  for _, keep in ipairs({ 'cursor', 'screen', 'topline' }) do
    test('a resize does not pause, splitkeep=' .. keep, function(child)
      local c, buf = opened(child)
      c:cmd('set splitkeep=' .. keep)
      c:type('<C-w>5-')
      c:cmd('topleft split')
      c:type('<C-w>j<C-w>j')
      c:cmd('resize 10')
      c:cmd('redraw')
      t.ok(on(c), 'still following')
      c:resize(100, 40)
      t.wait(function()
        return c:lua('return vim.o.lines == 40')
      end)
      c:cmd('tabnew')
      c:resize(80, 24)
      t.wait(function()
        return c:lua('return vim.o.lines == 24')
      end)
      c:cmd('tabprevious')
      c:cmd('set cmdheight=2')
      c:cmd('redraw')
      t.ok(on(c), 'still following after all')
      c:print(buf, 101, 120)
      t.eq(lnum(c), 120)
      t.has(c:screen(), 'line 120')
    end)
  end

  for _, command in ipairs({ 'resize +6', 'set cmdheight=6', 'topleft 6split' }) do
    test('the end is shown without a new line after :' .. command, function(child)
      local c = opened(child)
      c:cmd('set splitkeep=topline')
      c:cmd('wincmd k')
      c:cmd(command)
      t.wait(function()
        c:cmd('redraw')
        return c:lua("return vim.fn.line('w$', ...)", c.win) == 100
      end, 'the end')
      t.ok(on(c))
    end)
  end

  test('the cursor stays in Visual, operator-pending and cmdline mode', function(child)
    local c, buf = opened(child)
    for _, keys in ipairs({ 'V', 'y', ':' }) do
      c:type(keys)
      local before = lnum(c)
      c:lua(
        [[
          local buf = ...
          _G.n = (_G.n or 100) + 1
          require('brummer.rpc').frame(vim.mpack.encode({ rev = 1, logs = { {
            buf = buf, id = 1, total = _G.n, lines = { 'x' }, seqs = { _G.n, 1 }, times = { 1, 1 } } } }))
        ]],
        buf
      )
      t.eq(lnum(c), before, keys)
      if keys == 'V' then
        -- A column is not a line: still following.
        c:type('l')
        t.ok(on(c))
      end
      c:type('<Esc>')
      t.wait(function()
        return lnum(c) == c:lua('return vim.api.nvim_buf_line_count(...)', buf)
      end, 'the end after ' .. keys)
    end
  end)

  for _, keys in ipairs({ '?line 140', '?,line 140', '?line 140,' }) do
    test('a search goes to what it finds and stays there, lines come at the comma: ' .. keys, function(child)
      local c = child({ config = { max_lines = 100 } })
      local buf = c:open_log()
      c:print(buf, 1, 200)
      c.win = c:lua('return vim.api.nvim_get_current_win()')
      t.eq(lnum(c), 100)
      local last = 200
      local function search(typed)
        for i, part in ipairs(vim.split(typed, ',')) do
          if i > 1 then
            -- The head goes: the same line has another number then.
            c:print(buf, last + 1, last + 10)
            last = last + 10
          end
          c:type(part)
        end
      end
      search(keys)
      c:type('<Esc>')
      t.wait(function()
        c:print(buf, last + 1, last + 1)
        last = last + 1
        return on(c) and lnum(c) == 100
      end, 'the end, as it is given up')
      search(keys)
      c:type('<CR>')
      t.wait(function()
        return not on(c)
      end, 'the pause')
      c:print(buf, last + 1, last + 10)
      t.eq(c:lua('return vim.api.nvim_get_current_line()'), 'line 140')
    end)
  end

  test('a closed fold that ends on the last line counts as it', function(child)
    local c = opened(child)
    c:cmd('90,100fold')
    c:type('gg')
    t.wait(function()
      return not on(c)
    end)
    c:type('G')
    t.wait(function()
      return on(c)
    end)
    c:type('kj')
    t.ok(c:lua("return vim.fn.foldclosedend('.') == 100"))
    t.wait(function()
      return on(c)
    end)
  end)
end
