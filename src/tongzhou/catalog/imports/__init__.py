"""Product files of other systems, one module per format; :data:`FORMATS` is all anybody needs to know.

A format turns rows into :class:`~tongzhou.catalog.imports.parts.ImportedProduct`; the writer, the
same for all, decides what is created, updated or left alone.
"""

from tongzhou.catalog.imports.parts import Format
from tongzhou.catalog.imports.shopify import Shopify
from tongzhou.catalog.imports.tongzhou import Tongzhou
from tongzhou.catalog.imports.woocommerce import WooCommerce

FORMATS: dict[str, Format] = {"shopify": Shopify(), "tongzhou": Tongzhou(), "woocommerce": WooCommerce()}
