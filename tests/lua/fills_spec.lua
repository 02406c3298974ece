--- What a flood left out comes when it is calm: put in where it belongs, and nobody who reads or selects notices.
return function(test, t)
  --- A log that shows the lines 1 to 100 and 901 to 1000.
  local function opened(child)
    local c = child({ config = { max_lines = 1000 }, width = 100 })
    local buf = c:open_log()
    c:print(buf, 1, 100)
    c:print(buf, 901, 1000, { skipped = 800, next = 1001 })
    return c, buf
  end
  --- The screen once the bar says so, which it does a moment later.
  local function settled(c, said)
    t.wait(function()
      return c:screen():find(said, 1, true)
    end, 'the bar')
    return c:screen()
  end
  --- Sends the lines `first … last` as those in front of `before`.
  local function fill(c, buf, first, last, extra)
    local left = first - 101
    extra = vim.tbl_extend('force', { late = true, before = last + 1, skipped = left > 0 and left or nil }, extra or {})
    c:print(buf, first, last, extra)
  end
  local function patch(c, it)
    c:lua("require('brummer.rpc').frame(vim.mpack.encode({ rev = 1, logs = { ... } }))", it)
  end
  local function gaps(c, buf)
    return c:lua(
      [[return vim.tbl_map(function(mark) return mark[2] end,
        vim.api.nvim_buf_get_extmarks(..., require('brummer.ui.draw').ns.gaps, 0, -1, {}))]],
      buf
    )
  end
  local function numbers(from, to, more)
    local list = more or {}
    for i = from, to do
      list[#list + 1] = 'line ' .. i
    end
    return list
  end
  --- What each row is taken for, as the line its text names.
  local function seqs(c, buf)
    return c:lua(
      [[local view = require('brummer.ui.view').get(...)
      local wrong = {}
      for row, line in ipairs(vim.api.nvim_buf_get_lines(..., 0, -1, false)) do
        local seq = view.lines:at(row - 1)
        if line ~= 'line ' .. tostring(seq) or view.lines:row(seq) ~= row - 1 then
          wrong[#wrong + 1] = { row, line, seq }
        end
      end
      return wrong]],
      buf
    )
  end
  local function top(c)
    return c:lua("return vim.fn.getline(vim.fn.line('w0'))")
  end

  test('lines that were left out come in front of those after them', function(child)
    local c, buf = opened(child)
    t.eq(gaps(c, buf), { 100 })
    fill(c, buf, 501, 900)
    t.eq(gaps(c, buf), { 100 }, 'the gap has become smaller')
    t.eq(c:lines(buf), numbers(501, 1000, numbers(1, 100)))
    fill(c, buf, 101, 500)
    t.eq(gaps(c, buf), {})
    t.eq(c:lines(buf), numbers(1, 1000))
    t.eq(seqs(c, buf), {})
    t.eq(c:lua("return #require('brummer.ui.view').get(...).lines.runs", buf), 1)
  end)

  test('more than there is room for takes the place of the oldest', function(child)
    local c, buf = opened(child)
    c:print(buf, 1901, 2000, { skipped = 900 })
    fill(c, buf, 1401, 1900, { skipped = 400 })
    fill(c, buf, 1001, 1400, { skipped = 0 })
    t.eq(c:lines(buf), numbers(1001, 2000))
    t.eq(seqs(c, buf), {})
    t.eq(gaps(c, buf), {})
  end)

  test('following windows stay at the end, in every tab page, and show no other line', function(child)
    local c, buf = opened(child)
    c:cmd('split | tab split | tabprevious')
    c:cmd('set laststatus=0 noruler')
    local before = settled(c, '200 of 1,000 lines · following')
    fill(c, buf, 101, 900)
    t.eq(c:screen(), before)
    for _, state in
      ipairs(c:lua(
        [[return vim.tbl_map(function(win)
        return { vim.api.nvim_win_get_cursor(win)[1], require('brummer.ui.follow').on(win) }
      end, vim.fn.win_findbuf(...))]],
        buf
      ))
    do
      t.eq(state, { 1000, true })
    end
  end)

  for _, splitkeep in ipairs({ 'cursor', 'screen', 'topline' }) do
    test('a paused window keeps its lines, below and above the gap, splitkeep=' .. splitkeep, function(child)
      local c, buf = opened(child)
      c:cmd('set splitkeep=' .. splitkeep)
      c:type('20Gzt')
      c:cmd('split')
      c:type('150Gzt')
      t.eq(top(c), 'line 950')
      c:cmd('wincmd p | redraw')
      local other = { top(c), c:lua("return vim.fn.getline('.')") }
      c:cmd('wincmd p | redraw')
      fill(c, buf, 101, 900)
      t.eq({ top(c), c:lua("return vim.fn.getline('.')") }, { 'line 950', 'line 950' })
      c:cmd('redraw')
      t.eq(top(c), 'line 950')
      c:cmd('wincmd p')
      t.eq({ top(c), c:lua("return vim.fn.getline('.')") }, other)
      t.eq(c:lines(buf), numbers(1, 1000))
    end)
  end

  test('who reads at the gap is left alone until he goes on', function(child)
    local c, buf = opened(child)
    c:type('98Gzt')
    local before = settled(c, '200 of 1,000 lines · paused')
    fill(c, buf, 501, 900)
    fill(c, buf, 101, 500)
    c:cmd('redraw')
    t.eq(c:screen(), before)
    t.eq(#c:lines(buf), 200)
    c:type('G')
    t.wait(function()
      return #c:lines(buf) == 1000
    end)
    t.eq(c:lines(buf), numbers(1, 1000))
    t.eq(seqs(c, buf), {})
  end)

  test('a selection is not touched, and what came meanwhile comes after it', function(child)
    local c, buf = opened(child)
    c:type('150GVkk')
    fill(c, buf, 101, 900)
    t.eq(#c:lines(buf), 200)
    c:type('y')
    t.eq(c:lua("return vim.fn.getreg('\"')"), 'line 948\nline 949\nline 950\n')
    t.wait(function()
      return #c:lines(buf) == 1000
    end)
    t.eq(seqs(c, buf), {})
  end)

  test('colours, times, errors and run rules come with their lines', function(child)
    local c, buf = opened(child)
    c:print(buf, 1001, 1002, {
      spans = { 0, 0, 4, 1 },
      styles = { { style = 1, fg = 1 } },
    })
    fill(c, buf, 101, 900, {
      before = 901,
      spans = { 0, 0, 4, 1, 799, 5, 8, 1 },
      marks = { 101, 1, 900, 2 },
      times = { 5000, 400, 7000, 400 },
      runs = { { seq = 500, run = 2, at = 1, prev = { state = 'success', exit_code = 0, took = 1 } } },
    })
    local view = "local view = require('brummer.ui.view').get(...) "
    -- Rows as text: the first two were trimmed.
    t.eq(
      c:lua(view .. 'return { view.lines:time(98), view.lines:time(497), view.lines:time(498), view.lines:time(897) }', buf),
      { 5000, 5000, 7000, 7000 }
    )
    t.eq(c:lua(view .. 'return view.lines:time(898)', buf), 1700000000000 + 901 * 1000)
    local starts = c:lua(
      view .. 'return vim.tbl_map(function(chunk) return { chunk.at - view.lines.base, chunk.stop - view.lines.base } end, view.spans)',
      buf
    )
    t.eq(starts, { { 98, 898 }, { 998, 1000 } })
    local function rows(space)
      return c:lua(
        [[local buf, space = ...
        return vim.tbl_map(function(mark) return mark[2] end,
          vim.api.nvim_buf_get_extmarks(buf, require('brummer.ui.draw').ns[space], 0, -1, {}))]],
        buf,
        space
      )
    end
    t.eq(rows('errors'), { 98 })
    t.eq(rows('warnings'), { 897 })
    t.eq(rows('runs'), { 497 })
  end)

  test('the merged log is filled by line and process', function(child)
    local c = child({ config = { max_lines = 1000 } })
    local buf = c:open_log()
    patch(c, { buf = buf, reset = true, total = 4, lines = { 'a1', 'b1' }, seqs = { 1, 1, 1, 1 }, ids = { 1, 1, 2, 1 }, times = { 1, 2 } })
    patch(c, { buf = buf, total = 6, skipped = 3, lines = { 'a3' }, seqs = { 3, 1 }, ids = { 1, 1 }, times = { 1, 1 } })
    patch(c, { buf = buf, total = 6, before = 3, before_id = 1, lines = { 'a2', 'b2', 'b3' }, seqs = { 2, 1, 2, 2 }, ids = { 1, 1, 2, 2 }, times = { 1, 3 } })
    t.eq(c:lines(buf), { 'a1', 'b1', 'a2', 'b2', 'b3', 'a3' })
    t.eq(
      c:lua("local lines = require('brummer.ui.view').get(...).lines return { lines:row(2, 1), lines:row(3, 2), lines:row(3, 1) }", buf),
      { 2, 4, 5 }
    )
  end)

  test('what is held whole goes on where it ended when it is shown again', function(child)
    local c, buf = opened(child)
    c:cmd('hide')
    t.eq(c:call('unwatch').params.buf, buf)
    c:cmd('split | call nvim_win_set_buf(0, ' .. buf .. ')')
    t.eq(c:call('watch', 2).params.from, nil, 'lines are missing')
    fill(c, buf, 101, 900)
    c:cmd('hide')
    t.ok(c:call('unwatch', 2))
    c:cmd('split | call nvim_win_set_buf(0, ' .. buf .. ')')
    t.eq(c:call('watch', 3).params.from, 1001)
    c:print(buf, 1001, 1010, { next = 1011 })
    t.eq(c:lines(buf)[1000], 'line 1010')
  end)
end
