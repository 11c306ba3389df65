"""The verbs of catalog.

    create_category(*, slug, name, name_en="", parent_id=None, position=0, art="", by, at) -> UUID
    save_category(*, category_id, name, name_en, parent_id, position, art, by, at)
    save_product(*, draft: ProductDraft, product_id=None, version=None, by, at) -> SavedProduct
    set_prices(*, prices: Mapping[sku_id, Price(list_price_minor, member_price_minor, cost_minor)], by, at)
    publish / unpublish / archive(*, product_ids, by, at) -> int
    add_picture(*, product_id, upload: bytes | None = None, drawn="", source_url="", alt="", alt_en="", by, at) -> UUID
    remove_picture(*, picture_id, by, at);  order_pictures(*, product_id, picture_ids, by, at)
    reserve(*, order_id, wants: [(sku_id, quantity)], expires_at, at)
    commit(order_id, at, deals={sku_id: unit_price_minor});  release(order_ids, at) -> list[UUID]
    restock(*, quantities, reason, at, by, order_id=None, kind=RETURNED)
    write_off(*, quantities, reason, at, by) -> dict[sku_id, taken];  set_stock(*, levels, by, at)
    ensure_historical_skus(*, items: [(code, title, list_price_minor)], by, at) -> dict[code, sku_id]
    import_products(path, format, supplier_code="import", dry_run=False, by, at, progress=None) -> ImportSummary
    export_products(out, *, progress=None) -> int
"""
