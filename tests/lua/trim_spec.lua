--- B8, B9: what is trimmed, when the copy stands still, what a hidden buffer gets.
return function(test, t)
  local function opened(child)
    local c = child({ config = { max_lines = 1000 }, width = 100 })
    local buf = c:open_log()
    c:print(buf, 1, 1000)
    return c, buf
  end
  local function count(c, buf)
    return c:lua('return vim.api.nvim_buf_line_count(...)', buf)
  end
  local function top(c)
    return c:lua("return vim.fn.getline(vim.fn.line('w0'))")
  end

  test('a following window holds the newest lines, up to the bound', function(child)
    local c, buf = opened(child)
    c:print(buf, 1001, 9000)
    t.eq(count(c, buf), 1000)
    t.eq(c:lines(buf)[1], 'line 8001')
    t.eq(c:lines(buf)[1000], 'line 9000')
    t.eq(c:lua("return { require('brummer.ui.view').get(...).lines:at(999) }", buf), { 9000, 0 })
  end)

  test('trimming takes the marks of the lines with it', function(child)
    local c, buf = opened(child)
    c:print(buf, 1001, 1010, {
      marks = { 1001, 1, 1003, 2 },
      spans = { 0, 0, 4, 1 },
      styles = { { style = 1, fg = 1 } },
      clipped = { 0, 99999 },
      runs = {
        { seq = 1001, run = 2, at = 1, prev = { state = 'failed', exit_code = 1, took = 9 } },
      },
    })
    local function marks()
      return c:lua([[return #vim.api.nvim_buf_get_extmarks(..., -1, 0, -1, {})]], buf)
    end
    t.ok(marks() == 4, marks())
    c:print(buf, 1011, 4000)
    t.eq(marks(), 0)
    t.eq(c:lua("return #require('brummer.ui.view').get(...).spans", buf), 0)
  end)

  test('a paused window keeps its top line while the head beyond it goes', function(child)
    local c, buf = opened(child)
    c:type('800Gzt')
    t.eq(top(c), 'line 800')
    c:print(buf, 1001, 1500)
    t.eq(top(c), 'line 800')
    t.eq(c:lua("return vim.fn.getline('.')"), 'line 800')
    t.eq(count(c, buf), 1000, 'lines above it were trimmed')
    c:cmd('redraw')
    t.eq(top(c), 'line 800')
  end)

  test('the same for a paused window that is not current, and for two at once', function(child)
    local c, buf = opened(child)
    c:type('800Gzt3j')
    c:cmd('split')
    c:type('900Gzt')
    c:cmd('wincmd t')
    for first = 1001, 1301, 100 do
      c:print(buf, first, first + 99)
      t.eq(
        c:lua(
          [[return vim.tbl_map(function(win)
          return vim.api.nvim_win_call(win, function()
            return { vim.fn.getline(vim.fn.line('w0')), vim.fn.getline('.') }
          end)
        end, vim.fn.win_findbuf(...))]],
          buf
        ),
        { { 'line 900', 'line 900' }, { 'line 800', 'line 803' } }
      )
      c:cmd('redraw')
    end
    t.eq(count(c, buf), 1000)
  end)

  test('a paused window that shows the head holds it, also from another window', function(child)
    local c, buf = opened(child)
    c:type('100Gzt')
    t.eq(top(c), 'line 100')
    c:cmd('wincmd k')
    c:print(buf, 1001, 1500)
    c:cmd('wincmd j | redraw')
    t.eq(top(c), 'line 100')
    t.eq(c:lines(buf)[1], 'line 1')
    t.eq(count(c, buf), 1500)
  end)

  test('past twice the bound the copy stands still, G catches up', function(child)
    local c, buf = opened(child)
    c:type('100Gzt')
    c:print(buf, 1001, 2500)
    c:frame({ rev = 1, procs = { c:row({ lines = 50000 }) } })
    t.eq(count(c, buf), 2000)
    c:call('unwatch')
    t.wait(function()
      return c:screen():find('paused, 48,000 newer lines', 1, true)
    end, 'the winbar')
    t.eq(top(c), 'line 100')
    c:type('G')
    c:call('watch', 2)
    c:print(buf, 49001, 50000, { reset = true, skipped = 49000 })
    t.eq(count(c, buf), 1000)
    t.eq(c:lines(buf)[1000], 'line 50000')
    t.has(c:screen(), 'line 50000')
    t.wait(function()
      return c:screen():find('following', 1, true)
    end)
  end)

  test('three lines selected, 100,000 arrive, y gives those three', function(child)
    local c, buf = opened(child)
    c:type('GVkk')
    c:print(buf, 1001, 101000)
    t.eq(c:mode().mode, 'V')
    c:type('y')
    t.eq(c:lua("return vim.fn.getreg('\"')"), 'line 998\nline 999\nline 1000\n')
  end)

  test('operator-pending holds the head too', function(child)
    local c, buf = opened(child)
    c:type('y')
    c:print(buf, 1001, 1500)
    c:type('gg')
    t.eq(c:lua("return vim.fn.getreg('\"', 1, 1)[1]"), 'line 1')
  end)

  test('shown lines are never rewritten by a repeated watch', function(child)
    local c, buf = opened(child)
    local tick = c:lua('return vim.api.nvim_buf_get_changedtick(...)', buf)
    c:cmd('hide')
    c:call('unwatch')
    c:cmd('split | call nvim_win_set_buf(0, ' .. buf .. ')')
    c:call('watch', 2)
    c:print(buf, 1, 1000, { reset = true })
    t.eq(c:lua('return vim.api.nvim_buf_get_changedtick(...)', buf), tick)
    t.eq(count(c, buf), 1000)
  end)

  test('B9: a hidden log gets nothing, shown again it stands on the same line', function(child)
    local c, buf = opened(child)
    c:type('500Gzt')
    t.wait(function()
      return not c:lua("return require('brummer.ui.follow').on(0 + vim.api.nvim_get_current_win())")
    end)
    c:cmd('hide')
    t.eq(c:call('unwatch').params.buf, buf)
    c:print(buf, 1001, 1100)
    t.eq(count(c, buf), 1000, 'a patch that was under way is left')
    c:cmd('split | call nvim_win_set_buf(0, ' .. buf .. ')')
    local asked = { buf = buf, root = c.project, name = 'dev', max = 1000, rows = 24 }
    t.eq(c:call('watch', 2).params, asked)
    t.eq(c:lua("return vim.fn.getline('.')"), 'line 500')
    c:print(buf, 601, 1600, { reset = true, skipped = 600 })
    t.eq(c:lua("return vim.fn.getline('.')"), 'line 500')
    t.eq(c:lines(buf)[#c:lines(buf)], 'line 1600')
    t.eq(
      c:lua(
        [[
      local lines = vim.api.nvim_buf_get_lines(..., 0, -1, false)
      for i = 2, #lines do
        if tonumber(lines[i]:match('%d+')) ~= tonumber(lines[i - 1]:match('%d+')) + 1 then
          return lines[i]
        end
      end
    ]],
        buf
      ),
      nil,
      'no line twice, none missing'
    )
  end)

  test('B9: a log in another tab page is still watched', function(child)
    local c, buf = opened(child)
    c:cmd('tabnew')
    c:print(buf, 1001, 1010)
    t.eq(c:lines(buf)[1000], 'line 1010')
    t.eq(#c:calls('unwatch'), 0)
  end)

  test('lines left out show as a virtual line above the next', function(child)
    local c, buf = opened(child)
    c:print(buf, 1501, 1505, { skipped = 500 })
    t.has(c:screen(), '… 500 lines not shown · gL loads them, g/ searches them …')
    t.eq(c:lines(buf)[1000], 'line 1505')
  end)

  test('clear hides what was printed, --undo shows it again', function(child)
    local c, buf = opened(child)
    c:type('x')
    t.eq(c:lines(buf), { '' })
    c:print(buf, 1001, 1002)
    t.eq(c:lines(buf), { 'line 1001', 'line 1002' })
    c:cmd('Brummer clear --undo')
    c:call('watch', 2)
    c:print(buf, 3, 1002, { reset = true })
    t.eq(count(c, buf), 1000)
    t.eq(c:lines(buf)[1], 'line 3')
  end)

  test('what was cleared hides nothing of the next host', function(child)
    local c, buf = opened(child)
    c:cmd('Brummer clear')
    c:lua("require('brummer.host').stop()")
    t.eq(c:open_log(), buf)
    c:print(buf, 1, 3, { reset = true })
    t.eq(c:lines(buf), { 'line 1', 'line 2', 'line 3' })
  end)
end
