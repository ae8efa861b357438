import type { Jurisdiction, StateCode } from './jurisdictions';

export interface InternalAddress {
  readonly addressLine1?: string;
  readonly addressLine2?: string;
  readonly city?: string;
  readonly county?: string;
  readonly state?: StateCode;
  readonly zip?: string;
}

export interface InternalPerson {
  readonly fullName?: string;
  readonly firstName?: string;
  readonly middleName?: string;
  readonly lastName?: string;
}

/** An order as the internal API accepts it (docs/contracts/internal-api.md). Unknown fields are omitted. */
export interface InternalOrder {
  readonly externalOrderId: string;
  readonly qualiaOrderId: string;
  readonly source: 'QUALIA_MARKETPLACE';
  readonly productCategory: string;
  readonly productType?: string;
  readonly productName?: string;
  readonly purpose?: string;
  readonly transactionType?: string;
  readonly orderStatus?: string;
  readonly state?: Jurisdiction;
  readonly properties: readonly { readonly address: InternalAddress }[];
  readonly agency: {
    readonly agencyName: string;
    readonly contact?: { readonly name?: string; readonly phone?: string; readonly email?: string };
  };
  readonly borrowers?: readonly InternalPerson[];
  readonly sellers?: readonly InternalPerson[];
  readonly price?: number;
  readonly purchasePrice?: number;
  readonly loanAmount?: number;
  readonly dueDate?: string;
  readonly projectedCloseDate?: string;
  readonly notes: '';
}
