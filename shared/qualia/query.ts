const statusFields = `status
      status_details {
        open pending accepted declined cancelled submitted revision_required completed resubmitted
        resubmission_accepted created_date closed_date cancellation_reason revision_required_reason
      }`;

/**
 * The order of a webhook: the fields that the internal API needs, and some that help a person who reads the raw
 * payload.
 */
export const orderQuery = `query Order($id: ID!) {
  order(_id: $id) {
    order {
      _id
      order_number
      ${statusFields}
      vertical
      product_name
      product_type
      purpose
      transaction_type
      customer_name
      customer_contact { name phone email }
      price
      purchase_price_amount
      loan_amount
      due_date
      projected_close_date
      borrowers { full_name first_name middle_name last_name }
      sellers { full_name first_name middle_name last_name }
      properties { address_1 address_2 city state zipcode county flat_address }
    }
    outstanding_tasks
  }
}`;

/**
 * One page of the orders that are open at Qualia. Its shape is a guess: integrators only report that the list exists.
 *
 * @param withStatus also requests the status fields, which the API may not provide in a list
 */
export const openOrdersQuery = (withStatus: boolean): string => `query OpenOrders($limit: Int, $offset: Int) {
  orders(input: { status: "open", limit: $limit, offset: $offset }) {
    orders {
      _id
      ${withStatus ? statusFields : ''}
    }
  }
}`;
