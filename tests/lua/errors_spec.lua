--- B6: errors in a log, across processes, in the quickfix and location list.
return function(test, t)
  local function opened(child)
    local c = child({ width = 120, height = 30, files = { ['src/a.ts'] = 'one\ntwo\nthree\n' } })
    local buf = c:open_log()
    c:print(buf, 1, 50)
    return c, buf
  end
  local function lnum(c)
    return c:lua('return vim.api.nvim_win_get_cursor(0)[1]')
  end
  ---@param ids integer[]
  local function answer(c, ids)
    local out = {}
    for i, id in ipairs(ids) do
      out[i] = ('{ error = %d, id = 1, name = "dev", run = 1, seq = %d, file = %q, line = %d, severity = "error", message = "message %d", rule = "tsc" }'):format(
        id,
        id,
        c.project .. '/src/a.ts',
        (id - 1) % 3 + 1,
        id
      )
    end
    c:answers(
      'return { errors = function() return { errors = {' .. table.concat(out, ',') .. '} } end }'
    )
  end

  test(']e and [e go over marks with a count, set the jump mark, stop at the ends', function(child)
    local c, buf = opened(child)
    c:frame({
      rev = 1,
      logs = {
        {
          buf = buf,
          id = 1,
          total = 50,
          lines = {},
          seqs = {},
          times = {},
          marks = { 10, 1, 20, 2, 30, 1, 40, 1 },
        },
      },
    })
    c:type('gg]e')
    t.eq(lnum(c), 10)
    c:type('2]e')
    t.eq(lnum(c), 40, 'the warning is passed over')
    c:type(']e')
    c:hears('no further error here')
    t.eq(lnum(c), 40)
    c:type("''")
    t.eq(lnum(c), 10, 'the jump mark')
    c:type('[e')
    t.eq(lnum(c), 10)
    c:hears('no earlier error here')
    c:type('G3[e')
    t.eq(lnum(c), 10)
    t.eq(#c:lua('return vim.api.nvim_list_wins()'), 2, 'nothing was opened')
  end)

  test(']e and [e leave what stands below the error in sight', function(child)
    local c, buf = opened(child)
    c:frame({
      rev = 1,
      logs = { { buf = buf, id = 1, total = 50, lines = {}, seqs = {}, times = {}, marks = { 10, 1, 14, 1 } } },
    })
    c:cmd('set scrolloff=1')
    c:type('gg')
    for _, row in ipairs({ 10, 14 }) do
      c:type(']e')
      c:cmd('redraw')
      t.eq(lnum(c), row)
      local last = c:lua("return vim.fn.line('w$')")
      t.ok(last >= row + 3, last)
    end
    t.eq(c:lua("return { vim.o.scrolloff, vim.api.nvim_get_option_value('scrolloff', { scope = 'local' }) }"), { 1, -1 })
  end)

  test('marks of a line come in a later patch than the line, once', function(child)
    local c, buf = opened(child)
    for _ = 1, 2 do
      c:frame({
        rev = 1,
        logs = {
          { buf = buf, id = 1, total = 50, lines = {}, seqs = {}, times = {}, marks = { 5, 1 } },
        },
      })
    end
    t.eq(c:lua("return require('brummer.ui.draw').errors(...)", buf), 1)
  end)

  test(':Brummer next and prev open the sources in order and stop at the ends', function(child)
    local c = opened(child)
    answer(c, { 1, 2, 3 })
    c:cmd('Brummer next')
    c:hears('error 1 of 3, dev: message 1')
    t.eq(lnum(c), 1)
    t.eq(c:lua("return vim.fn.expand('%:t')"), 'a.ts')
    c:cmd('2Brummer next')
    c:hears('error 3 of 3')
    t.eq(lnum(c), 3)
    c:cmd('Brummer next')
    c:hears('no further error')
    c:cmd('Brummer prev')
    c:hears('error 2 of 3')
    t.eq(lnum(c), 2)
  end)

  test('no errors is a message', function(child)
    local c = opened(child)
    c:cmd('Brummer next')
    c:hears('no errors')
  end)

  test('--quickfix makes one list, updated in place with the same entry current', function(child)
    local c = opened(child)
    answer(c, { 1, 2, 3 })
    c:cmd('Brummer errors --quickfix')
    t.wait(function()
      return c:lua("return vim.bo.buftype == 'quickfix'")
    end)
    local list = c:lua('return vim.fn.getqflist({ all = 0 })')
    t.eq(list.title, 'brummer: dev')
    t.eq(#list.items, 3)
    t.eq(list.items[2].user_data, 2)
    c:cmd('2cc')
    -- Another list on top: ours is neither made current nor opened again.
    c:lua("vim.fn.setqflist({}, ' ', { title = 'mine', items = {} })")
    c:cmd('cclose')
    answer(c, { 9, 8, 1, 2, 3 })
    c:frame({
      rev = 1,
      events = { { kind = 'error', id = 1, run = 1, at = 1, seq = 9, message = 'x', count = 1 } },
    })
    t.wait(function()
      return c:lua('return #vim.fn.getqflist({ id = ..., items = 0 }).items', list.id) == 5
    end)
    t.eq(c:lua('return vim.fn.getqflist({ id = ..., idx = 0 }).idx', list.id), 4)
    t.eq(c:lua('return vim.fn.getqflist({ title = 0 }).title'), 'mine')
    t.eq(c:lua('return vim.fn.getqflist({ winid = 0 }).winid'), 0)
    t.eq(c:lua("return vim.fn.getqflist({ nr = '$' }).nr"), 2)
  end)

  test('the list is updated at most once a second', function(child)
    local c = opened(child)
    answer(c, { 1 })
    c:cmd('Brummer errors --quickfix')
    t.wait(function()
      return c:lua("return vim.bo.buftype == 'quickfix'")
    end)
    local before = #c:calls('errors')
    for n = 1, 20 do
      c:frame({
        rev = n,
        events = { { kind = 'error', id = 1, run = 1, at = 1, seq = n, message = 'x', count = 1 } },
      })
    end
    t.wait(function()
      return #c:calls('errors') == before + 2
    end, 'one now and one after a second')
    t.eq(#c:calls('errors'), before + 2)
  end)

  test('--loclist fills the list of the window', function(child)
    local c = opened(child)
    answer(c, { 1, 2 })
    c:cmd('Brummer errors --loclist')
    t.wait(function()
      return c:lua('return vim.fn.getwininfo(vim.fn.win_getid())[1].loclist == 1')
    end)
    t.eq(#c:lua('return vim.fn.getloclist(0)'), 2)
    t.eq(c:lua('return #vim.fn.getqflist()'), 0)
  end)
end
