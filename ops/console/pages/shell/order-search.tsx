import { useNavigate } from '@tanstack/react-router';
import { type Ref, useState } from 'react';

/** Finds orders, from every screen. */
export const OrderSearch = ({ ref }: { readonly ref: Ref<HTMLInputElement> }) => {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  return (
    <search className="order-search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const q = text.trim();
          if (q === '') return;
          void navigate({ to: '/orders', search: { q } });
          // The next key is for the list.
          document.getElementById('main')?.focus({ preventScroll: true });
        }}
      >
        <input
          ref={ref}
          type="search"
          aria-label="Search orders by order ID or request ID"
          placeholder="Order or request ID"
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={({ target }) => setText(target.value)}
          onKeyDown={({ key, currentTarget }) => {
            if (key === 'Escape') currentTarget.blur();
          }}
        />
      </form>
    </search>
  );
};
