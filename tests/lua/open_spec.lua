--- B4: where a log is opened.
return function(test, t)
  local function log_wins(c)
    return c:lua([[return vim.tbl_filter(function(win)
      return vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(win)):find('^brummer:') ~= nil
    end, vim.api.nvim_list_wins())]])
  end
  local function height(c, win)
    return c:lua('return vim.api.nvim_win_get_height(...)', win or 0)
  end

  test('one reusable window at the bottom, the cursor goes there', function(child)
    local c = child({ height = 40, width = 100 })
    c:cmd('vsplit')
    c:open_log()
    t.eq(height(c), 13)
    t.ok(c:lua('return vim.wo.winfixheight'))
    t.eq(c:lua('return vim.api.nvim_win_get_width(0)'), 100)
    local first = c:lua('return vim.api.nvim_get_current_win()')
    c:cmd('wincmd k | BrummerRun api')
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs/api'
    end)
    t.eq(log_wins(c), { first })
  end)

  test('the height is a third of the screen, 8 to 15 lines', function(child)
    for lines, want in pairs({ [20] = 8, [80] = 15 }) do
      local c = child({ height = lines })
      c:open_log()
      t.eq(height(c), want)
    end
  end)

  test('! opens and moves nothing, a visible log is used as it is', function(child)
    local c = child()
    local before = c:lua('return vim.api.nvim_get_current_win()')
    c:cmd('BrummerRun! dev')
    t.wait(function()
      return #log_wins(c) == 1
    end)
    t.eq(c:lua('return vim.api.nvim_get_current_win()'), before)
    c:cmd('BrummerRun dev')
    t.wait(function()
      return c:lua('return vim.api.nvim_get_current_win()') == log_wins(c)[1]
    end)
    t.eq(#log_wins(c), 1)
    c:hears('dev runs already')
  end)

  test('a count, :vertical and :tab are obeyed', function(child)
    local c = child({ height = 40 })
    c:open_log('20BrummerRun dev')
    t.ok(math.abs(height(c) - 20) <= 1, height(c))
    c:cmd('close')
    c:open_log('vertical BrummerRun dev')
    t.ok(c:lua('return vim.api.nvim_win_get_width(0)') < 80)
    c:cmd('close')
    c:open_log('tab BrummerRun dev')
    t.eq(c:lua("return vim.fn.tabpagenr('$')"), 2)
  end)

  test('a count for a log that is the only window leaves the command line alone', function(child)
    local c = child({ height = 40 })
    c:open_log()
    c:cmd('only')
    c:cmd('12BrummerRun dev')
    c:hears('dev runs already')
    t.eq(c:lua('return vim.o.cmdheight'), 1)
    c:cmd('split | 12BrummerRun dev')
    t.wait(function()
      return height(c) == 12
    end, 'the height')
    t.eq(c:lua('return vim.o.cmdheight'), 1)
  end)

  test('a log that was left at its head follows when it is opened again', function(child)
    local c = child()
    local buf = c:open_log()
    c:print(buf, 1, 100)
    c:type('gg')
    c:cmd('BrummerRun api')
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs/api'
    end)
    c:cmd('Brummer logs dev')
    t.eq(c:lua("return vim.api.nvim_get_current_buf() == ... and vim.fn.line('.')", buf), 100)
    c:print(buf, 101, 110)
    t.eq(c:lua("return vim.fn.line('.')"), 110)
  end)

  test(':Brummer toggle opens the view seen last, also after q', function(child)
    local c = child()
    c:cmd('Brummer')
    c:cmd('close')
    local buf = c:open_log()
    c:type('q')
    c:cmd('Brummer toggle')
    t.eq(c:lua('return vim.api.nvim_get_current_buf()'), buf)
  end)

  test('the option open', function(child)
    for how, check in pairs({
      vsplit = "return vim.api.nvim_win_get_width(0) < 80 and vim.fn.winlayout()[1] == 'row'",
      tab = "return vim.fn.tabpagenr('$') == 2",
      float = "return vim.api.nvim_win_get_config(0).relative == 'editor'",
      current = 'return #vim.api.nvim_list_wins() == 1',
    }) do
      local c = child({ config = { open = how } })
      c:open_log()
      t.ok(c:lua(check), how)
    end
    local c = child()
    c:lua(
      [[vim.g.brummer = nil; require('brummer').setup({ binary = ..., open = function(buf)
      vim.cmd('leftabove vnew')
      vim.api.nvim_win_set_buf(0, buf)
      return vim.api.nvim_get_current_win()
    end })]],
      c.binary
    )
    c:open_log()
    t.eq(c:lua('return vim.fn.win_getid(1)'), c:lua('return vim.api.nvim_get_current_win()'))
  end)

  test('somebody who has gone to another window keeps the cursor', function(child)
    local c = child()
    c:cmd('vsplit')
    -- In one go: the answer cannot come between.
    c:lua([[vim.cmd('BrummerRun dev') vim.cmd('wincmd w')]])
    local win = c:lua('return vim.api.nvim_get_current_win()')
    t.wait(function()
      return #log_wins(c) == 1
    end)
    t.eq(c:lua('return vim.api.nvim_get_current_win()'), win)
  end)

  test('somebody who types meanwhile keeps the cursor', function(child)
    local c = child()
    c:cmd('BrummerRun! dev')
    t.wait(function()
      return #log_wins(c) == 1
    end)
    c:cmd('only')
    local win = c:lua('return vim.api.nvim_get_current_win()')
    -- In one go: the keys are taken before the answer can come.
    c:lua([[vim.cmd('BrummerRun api') vim.api.nvim_feedkeys('ihello', 'n', false)]])
    t.wait(function()
      return #log_wins(c) == 1
    end)
    t.eq(c:mode().mode, 'i')
    t.eq(c:lua('return vim.api.nvim_get_current_win()'), win)
  end)

  test('a screen of five lines has room for a log and for a search', function(child)
    local c = child({ width = 20, height = 5 })
    local buf = c:open_log()
    c:print(buf, 1, 5)
    t.has(c:screen(), 'line 5')
    c:type('[e')
    c:hears('no ')
    c:cmd('Brummer search line')
    t.wait(function()
      return c:lua("return vim.bo.filetype == 'brummer-search'")
    end, 'the search')
    t.eq(c:lua('return vim.v.errmsg'), '')
    t.eq(c:mode().blocking, false)
    -- With more room there is a bar.
    c:resize(20, 12)
    t.wait(function()
      return c:lua('return vim.o.lines == 12')
    end, 'the screen')
    c:type('<C-w>_')
    t.wait(function()
      return c:screen():find('search line', 1, true)
    end, 'the bar')
  end)
end
