"""What each family of models that make images is asked for."""

import pytest
from pydantic import ValidationError

from sre_core.components.llm.image_settings import ImageForm, ImageSettings, image_form

# What the editor of SmythOS writes, whatever the model is.
USUAL = {
    "sizeDalle2": "512x512",
    "sizeDalle3": "1792x1024",
    "quality": "hd",
    "style": "natural",
    "width": "512",
    "height": "768",
    "negativePrompt": "rain",
    "outputFormat": "PNG",
    "strength": "0.8",
    "aspectRatio": "16:9",
    "personGeneration": "allow_all",
}


def form(model, connector="openai", *, with_files=False, **data):
    return image_form(ImageSettings.model_validate({**USUAL, **data}), model, connector, with_files=with_files)


def test_dalle():
    assert form("dall-e-2") == ImageForm(size="512x512", takes_files=False)
    expected = ImageForm(size="1792x1024", options={"style": "natural", "quality": "hd"}, takes_files=False)
    assert form("dall-e-3") == expected
    assert form("smythos/dall-e-3") == expected
    assert form("dall-e-3", isRawInputPrompt=True).prefix
    assert form("dall-e-3", quality="auto").options == {"style": "natural"}


def test_gpt_image():
    assert form("gpt-image-1") == ImageForm()
    assert form("gpt-image-1", quality="high") == ImageForm(options={"quality": "high"})
    assert form("gpt-image-1", size="1024x1536", quality="auto") == ImageForm(size="1024x1536")


def test_google():
    assert form("gemini-3-image", "google") == ImageForm(size="16:9", options={"person_generation": "ALLOW_ALL"})
    assert form("imagen-4", personGeneration="allow_adult") == ImageForm(size="16:9")
    assert form("imagen-4", personGeneration="dont_allow").options == {"person_generation": "ALLOW_NONE"}


def test_runware():
    options = {"negative_prompt": "rain", "output_format": "png"}
    assert form("runware:101@1") == ImageForm(size="512x768", options=options)
    assert form("runware:101@1", with_files=True).options == {**options, "strength": 0.8}


def test_others():
    assert form("flux", quality="auto") == ImageForm(options={"negative_prompt": "rain"})


@pytest.mark.parametrize(
    "data", [{"width": 100}, {"width": 1000}, {"strength": 2}, {"style": "odd"}, {"numberOfImages": 0}]
)
def test_values_beyond_the_limits_are_refused(data):
    with pytest.raises(ValidationError):
        ImageSettings.model_validate(data)


def test_every_setting_is_described_for_editors():
    fields = ImageSettings.model_json_schema()["properties"]
    assert all(field.get("description") for field in fields.values())
    assert {"sizeDalle2", "isRawInputPrompt", "numberOfImages"} <= set(fields)
